/** Several optimizers on the same tensors: what one thread hands another, and what both see then. */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import fc from "fast-check";
import { MemoryError, OptionError, type Options, ParameterError, RMSprop, SwappedError } from "rmsprop-wasm";
import { saveChunks } from "rmsprop-wasm/checkpoint";
import { RMSprop as RMSpropJs } from "rmsprop-wasm/js";
import { describe, expect, it } from "vitest";
import type { Handle } from "../../src/optimizer/handle.ts";
import { bits } from "../support/kernels.ts";

const values = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 7 + seed));

/** What arrives in another thread. */
function posted(handle: Handle): Handle {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(handle);
  const { message } = receiveMessageOnPort(port2)!;
  port1.close();
  return message;
}

const sharedMemory = (initial = 1, maximum = 1000) =>
  new WebAssembly.Memory({ initial, maximum, shared: true });
const shapes = { a: values(37, 1), b: values(5, 2), c: values(130, 3) };
const everything = {
  momentum: 0.9,
  centered: true,
  weightDecay: 0.01,
  biasCorrection: true,
  initialSquareAvg: 0.5,
  ema: { decay: 0.9 },
};
const make = (options: Options = {}) =>
  new RMSprop([{ params: { a: shapes.a } }, { params: { b: shapes.b, c: shapes.c }, lr: 0.1 }], {
    ...everything,
    ...options,
  });
type Made = ReturnType<typeof make>;
const names = ["a", "b", "c"] as const;
const snapshot = ({ params, state, ema, grads }: Made) =>
  names.flatMap((name) =>
    [params[name], grads[name], ...Object.values(state[name]), ema[name]].map((view) => bits(view!)),
  );
const writeGradients = (optimizer: Made, seed: number) =>
  names.forEach((name, i) => void optimizer.grads[name].set(values(shapes[name].length, seed * 3 + i)));

describe.each([
  ["WebAssembly", RMSprop],
  ["JavaScript", RMSpropJs],
])("an optimizer attached on %s", (_, Attached) => {
  it("sees the same tensors, settings and steps, and takes nothing back", () => {
    const owner = make({ memory: sharedMemory() });
    writeGradients(owner, 1);
    owner.step();
    const before = snapshot(owner);
    const { buffer } = owner.memory;
    const attached = Attached.attach(posted(owner.handle)) as unknown as Made;
    expect(snapshot(attached)).toEqual(before);
    expect(snapshot(owner)).toEqual(before);
    expect(attached.params.c.byteOffset).toBe(owner.params.c.byteOffset);
    expect(attached.memory.buffer.byteLength).toBe(buffer.byteLength);
    expect(attached.groups.map((group) => ({ ...group }))).toEqual(
      owner.groups.map((group) => ({ ...group })),
    );
    expect([attached.steps, attached.threads]).toEqual([1, 1]);
    attached.params.a[0] = 42;
    expect(owner.params.a[0]).toBe(42);
  });

  it("shares the count of steps with its own owner alone, where the memory has two", () => {
    const memory = sharedMemory();
    const [first, second] = [make({ memory }), make({ memory })];
    for (let step = 0; step < 3; step++) first.step();
    const attached = Attached.attach(posted(second.handle)) as unknown as Made;
    expect([first.steps, second.steps, attached.steps]).toEqual([3, 0, 0]);
    attached.step();
    expect([first.steps, second.steps, attached.steps]).toEqual([3, 1, 1]);
  });

  it("takes any step, or any share of one, with the bits of one optimizer", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            shares: fc.integer({ min: 0, max: 5 }),
            order: fc.nat(1_000_000),
            who: fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        (steps) => {
          const [whole, owner] = [make(), make({ memory: sharedMemory() })];
          const crew = [owner, ...[0, 1].map(() => Attached.attach(posted(owner.handle)) as unknown as Made)];
          for (const [seed, { shares, order, who }] of steps.entries()) {
            for (const optimizer of [whole, owner]) writeGradients(optimizer, seed);
            whole.step({ gradScale: 0.5 });
            const turns = Array.from({ length: shares }, (_, i) => (i + order) % shares);
            if (order % 2) turns.reverse();
            for (const index of turns) {
              crew[who[index]!]!.step({ shard: { index, count: shares }, gradScale: 0.5 });
            }
            if (shares === 0) crew[who[0]!]!.step({ gradScale: 0.5 });
            expect(crew.map(({ steps }) => steps)).toEqual([seed + 1, seed + 1, seed + 1]);
          }
          expect(snapshot(crew[2]!)).toEqual(snapshot(whole));
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each<[string, Options]>([
    ["the average of the weights, whose first step takes them whole", { ema: { decay: 0.9 } }],
    ["bias correction, which depends on each step's number", { biasCorrection: true }],
    ["neither", {}],
  ])("takes turns with its owner with the bits of one optimizer, with %s", (_, options) => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            who: fc.nat(2),
            gradScale: fc.constantFrom(1, 0.5),
            zeroGrad: fc.boolean(),
            lr: fc.constantFrom(undefined, 0.1, 0.2),
          }),
          { minLength: 2, maxLength: 12 },
        ),
        (turns) => {
          const whole = new RMSprop({ w: values(9, 1) }, options);
          const owner = new RMSprop({ w: values(9, 1) }, { ...options, memory: sharedMemory() });
          const crew = [owner, ...[0, 1].map(() => Attached.attach(posted(owner.handle)) as typeof owner)];
          turns.forEach(({ who, lr, ...step }, i) => {
            for (const { grads } of [whole, owner]) grads.w.set(values(9, i));
            if (lr !== undefined) for (const { groups } of [whole, ...crew]) groups[0].lr = lr;
            whole.step(step);
            crew[who]!.step(step);
          });
          const planes = ({ params, ema, state, grads }: typeof owner) =>
            [params.w, grads.w, ema.w, state.w.squareAvg].map((view) => view && bits(view));
          expect(planes(owner)).toEqual(planes(whole as typeof owner));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("clips and skips like its owner", () => {
    const owner = make({ memory: sharedMemory(), globalClipNorm: 0.5, nonFinite: "skip" });
    const attached = Attached.attach(posted(owner.handle)) as unknown as Made;
    const alone = make({ globalClipNorm: 0.5 });
    for (const optimizer of [owner, alone]) writeGradients(optimizer, 4);
    alone.step();
    attached.step();
    expect(snapshot(owner)).toEqual(snapshot(alone));
    owner.grads.b[0] = NaN;
    expect(attached.step()).toBe(false);
    expect(owner.steps).toBe(1);
  });

  it("knows, as all others do, whether the averages stand in for the parameters", () => {
    const owner = make({ memory: sharedMemory() });
    const attached = Attached.attach(posted(owner.handle)) as unknown as Made;
    writeGradients(owner, 2);
    for (let step = 0; step < 3; step++) attached.step();
    const before = snapshot(owner);
    expect(attached.swapEma()).toBe(true);
    const late = Attached.attach(posted(owner.handle)) as unknown as Made;
    for (const optimizer of [owner, attached, late]) {
      const swapped = snapshot(owner);
      expect(() => optimizer.step()).toThrow(SwappedError);
      expect(() => optimizer.step({ shard: { index: 0, count: 2 } })).toThrow(SwappedError);
      expect(() => optimizer.stateDict()).toThrow(SwappedError);
      expect(() => optimizer.loadStateDict(owner.stateDict())).toThrow(SwappedError);
      expect(snapshot(owner)).toEqual(swapped);
    }
    expect(late.swapEma()).toBe(false);
    expect(snapshot(owner)).toEqual(before);
    expect([owner, attached, late].map((optimizer) => optimizer.step())).toEqual([true, true, true]);
  });

  it("spoils no file that its owner is writing in pieces", () => {
    const count = 400_000;
    const owner = new RMSprop({ w: [count], b: [1] }, { memory: sharedMemory(), ema: { decay: 0.9 } });
    const attached = Attached.attach(posted(owner.handle)) as unknown as typeof owner;
    const state = attached.stateDict();
    const share = (index: number) => ({ shard: { index, count: 2 } });
    const changes = [
      () => attached.step(),
      () => attached.step(share(0)),
      () => attached.step(share(1)), // of the same step
      () => attached.loadStateDict(state),
      () => attached.swapEma(),
    ];
    for (const change of changes) {
      const chunks = saveChunks(owner);
      chunks.next();
      change();
      expect(() => chunks.next()).toThrow("The optimizer took a step or another state");
    }
    attached.swapEma();
    expect([...saveChunks(owner)].length).toBeGreaterThan(2);
  });

  it("needs the schedule that can't be posted", () => {
    const rates: number[] = [];
    const owner = new RMSprop({ w: [3] }, { memory: sharedMemory(), lr: (step) => 0.1 / (step + 1) });
    owner.step();
    const handle = posted(owner.handle);
    expect(() => Attached.attach(handle)).toThrow(OptionError);
    expect(() => Attached.attach(handle)).toThrow(/schedule.*attach with \{ lr \}/);
    const attached = Attached.attach(handle, { lr: (step) => rates.push(step) && 0.1 });
    attached.step();
    attached.step();
    expect(rates).toEqual([1, 2]);
  });

  it("reads and writes its own places when it grows the memory, whatever others do meanwhile", () => {
    const owner = make({ memory: sharedMemory() });
    const attached = Attached.attach(posted(owner.handle)) as unknown as Made;
    owner.memory.grow(3);
    const before = snapshot(owner);
    expect(attached.report()).toEqual(owner.report());
    expect(snapshot(owner)).toEqual(before);
    owner.step();
    expect(snapshot(attached)).toEqual(snapshot(owner));
  });

  it("can't take up state that isn't there, and stays as it was", () => {
    const owner = new RMSprop({ w: [3] }, { memory: sharedMemory() });
    const attached = Attached.attach(posted(owner.handle));
    expect(() => {
      attached.groups[0].momentum = 0.9;
    }).toThrow(/attached to tensors without momentumBuffer/);
    expect(attached.groups[0].momentum).toBe(0);
    attached.groups[0].lr = 0.5;
    expect([attached.groups[0].lr, owner.groups[0].lr]).toEqual([0.5, 0.01]);
  });

  it.each([undefined, null, 7, {}, { version: 0 }, { version: 99, memory: null }])("refuses %o", (handle) => {
    expect(() => Attached.attach(handle as never)).toThrow(ParameterError);
    expect(() => Attached.attach(handle as never)).toThrow(
      /expected what optimizer.handle gives.*same rmsprop-wasm/,
    );
  });
});

it("a handle needs a memory that threads can share", () => {
  expect(() => make().handle).toThrow(MemoryError);
  expect(() => make().handle).toThrow(/threads above 1.*shared options.memory/);
  const pooled = make({ threads: 2 });
  expect(bits(RMSprop.attach(pooled.handle).params.c!)).toEqual(bits(shapes.c));
  pooled.dispose();
});

it("tensors adopted in a shared memory can be attached to, and shared", () => {
  const memory = sharedMemory(2);
  const heap = new Float32Array(memory.buffer);
  heap.set(values(600, 5), 256);
  const adopted = { a: { param: 1024, grad: 4096, count: 300 }, b: { param: 2300, grad: 5300, count: 200 } };
  const owner = new RMSprop(adopted, { memory, momentum: 0.9 });
  const attached = RMSprop.attach<typeof adopted>(posted(owner.handle));
  const alone = new RMSprop({ a: owner.params.a.slice(), b: owner.params.b.slice() }, { momentum: 0.9 });
  for (const { grads } of [owner, alone]) {
    grads.a.set(values(300, 6));
    grads.b.set(values(200, 7));
  }
  alone.step();
  attached.step({ shard: { index: 1, count: 2 } });
  owner.step({ shard: { index: 0, count: 2 } });
  for (const name of ["a", "b"] as const)
    expect(bits(attached.params[name])).toEqual(bits(alone.params[name]));
});
