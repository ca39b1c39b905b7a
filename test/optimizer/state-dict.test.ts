/** State dicts: what comes out, and that it goes in again. */
import fc from "fast-check";
import { RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { exactly, params, snapshot, train, VARIANTS } from "../support/runs.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what one of these tests is about
type Bad = any;

describe.each(ENTRIES)("$entry", ({ make }) => {
  it.each(VARIANTS)("goes on with the same bits from any step: $name", ({ options, step }) => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(4), fc.nat(6), (before, rest, elsewhere) => {
        const optimizer = make(params(), options);
        train(optimizer, 0, before, step);
        const dict = structuredClone(optimizer.stateDict());
        train(optimizer, before, before + rest, step);

        const other = make(params(), options);
        train(other, 0, elsewhere, step);
        other.loadStateDict(dict);
        expect(exactly(other.stateDict())).toEqual(exactly(dict));
        train(other, before, before + rest, step);
        expect(snapshot(other)).toEqual(snapshot(optimizer));
      }),
      { numRuns: 4 },
    );
  });

  it("takes views of itself, some in their places, while its memory grows for more", () => {
    const count = 9_000;
    const optimizer = make({ a: [count], b: [count] });
    train(optimizer, 0, 2);
    const { a, b } = optimizer.stateDict().tensors;
    const buffer = () => Float32Array.from({ length: count }, (_, i) => i);
    const momentum = { a: buffer(), b: buffer() };
    const { groups, ...others } = optimizer.stateDict();
    const views = (name: "a" | "b") => ({
      shape: [count],
      ...optimizer.state[name],
      param: optimizer.params.a, // in its place for a alone
      momentumBuffer: momentum[name],
    });
    const before = optimizer.memory.buffer.byteLength;
    optimizer.loadStateDict({
      ...others,
      groups: [{ ...groups[0]!, momentum: 0.9 }],
      tensors: { a: views("a"), b: views("b") },
    });
    expect(optimizer.memory.buffer.byteLength).toBeGreaterThan(before);
    expect(exactly(optimizer.stateDict().tensors)).toEqual(
      exactly({
        a: { ...a, momentumBuffer: buffer() },
        b: { ...b, param: a.param, momentumBuffer: buffer() },
      }),
    );
    // A plane that comes into use starts from zero, and then gets the values that it held.
    const { momentumBuffer } = optimizer.state.a;
    const dict = optimizer.stateDict();
    optimizer.groups[0].momentum = 0;
    optimizer.loadStateDict({
      ...dict,
      tensors: { ...dict.tensors, a: { ...dict.tensors.a, momentumBuffer } as Bad },
    });
    expect(optimizer.state.a.momentumBuffer).toEqual(buffer());
  });

  it("learns on from an infinite average, which other libraries leave behind a huge gradient", () => {
    const optimizer = make({ w: [3] }, { lr: 0.5 });
    const dict = optimizer.stateDict();
    dict.tensors.w.squareAvg.set([Infinity, 1, Infinity]);
    optimizer.loadStateDict(dict);
    expect([...optimizer.state.w.squareAvg]).toEqual([2 ** 128 - 2 ** 104, 1, 2 ** 128 - 2 ** 104]);
    for (let i = 0; i < 20_000; i++) {
      optimizer.grads.w.fill(1);
      optimizer.step();
    }
    expect(optimizer.params.w[0]).toBeLessThan(-100);
    expect(Math.abs(optimizer.state.w.squareAvg[2]! - 1)).toBeLessThan(1e-3);
  });

  it("gives plain data, copied", () => {
    const optimizer = make(
      { w: [2, 3], b: [2] },
      { lr: 0.5, momentum: 0.9, ema: { decay: 0.5 }, globalClipNorm: 3 },
    );
    optimizer.params.w.fill(7);
    const dict = optimizer.stateDict();
    expect(dict).toEqual({
      version: 1,
      steps: 0,
      skippedSteps: 0,
      groups: [{ ...optimizer.groups[0], params: ["w", "b"] }],
      tensors: {
        w: {
          shape: [2, 3],
          param: new Float32Array(6).fill(7),
          squareAvg: new Float32Array(6),
          momentumBuffer: new Float32Array(6),
          ema: new Float32Array(6),
        },
        b: {
          shape: [2],
          param: new Float32Array(2),
          squareAvg: new Float32Array(2),
          momentumBuffer: new Float32Array(2),
          ema: new Float32Array(2),
        },
      },
      options: { globalClipNorm: 3, nonFinite: "propagate", ema: { decay: 0.5 } },
    });
    optimizer.params.w.fill(8);
    expect(dict.tensors.w.param[0]).toBe(7);
    dict.tensors.w.param.fill(9);
    expect(optimizer.params.w[0]).toBe(8);
  });
});

describe("a state dict", () => {
  it("brings hyperparameters along, and the state that they take", () => {
    const optimizer = new RMSprop(
      { w: [3] },
      { lr: 0.5, momentum: 0.9, centered: true, initialSquareAvg: 2 },
    );
    train(optimizer, 0, 3);
    const plain = new RMSprop({ w: [3] });
    train(plain, 0, 1);
    plain.loadStateDict(optimizer.stateDict());
    expect({ ...plain.groups[0] }).toEqual({ ...optimizer.groups[0] });
    expect(snapshot(plain)).toEqual(snapshot(optimizer));
    train(plain, 3, 6);
    train(optimizer, 3, 6);
    expect(snapshot(plain)).toEqual(snapshot(optimizer));
  });

  it("leaves what only the constructor takes, and gradients, as they are", () => {
    const from = new RMSprop({ w: [1] }, { globalClipNorm: 1, nonFinite: "skip" });
    const to = new RMSprop({ w: [1] }, { globalClipNorm: 2 });
    to.grads.w[0] = 5;
    to.loadStateDict(from.stateDict());
    expect(to.stateDict().options).toMatchObject({ globalClipNorm: 2, nonFinite: "propagate" });
    expect(to.grads.w[0]).toBe(5);
  });

  it("has counted the steps that were skipped, and forgets the norm of a step that it didn't take", () => {
    const optimizer = new RMSprop({ w: [1] }, { nonFinite: "skip" });
    train(optimizer, 0, 2);
    optimizer.grads.w[0] = NaN;
    optimizer.step();
    const other = new RMSprop({ w: [1] }, { nonFinite: "skip" });
    train(other, 0, 1);
    expect(other.gradNorm).toBeGreaterThan(0);
    other.loadStateDict(optimizer.stateDict());
    expect([other.steps, other.skippedSteps, other.gradNorm]).toEqual([2, 1, undefined]);
  });

  it("has the rate of the last step for a schedule, and never asks for more", () => {
    const table = [0.5, 0.25];
    const optimizer = new RMSprop({ w: [1] }, { lr: (step) => table[step]! });
    expect(optimizer.stateDict().groups[0]!.lr).toBe(0.5);
    train(optimizer, 0, 2);
    const dict = optimizer.stateDict();
    expect(dict.groups[0]!.lr).toBe(0.25);

    const constant = new RMSprop({ w: [1] }, { lr: 3 });
    constant.loadStateDict(dict);
    expect(constant.groups[0].lr).toBe(0.25);

    const schedule = (step: number) => 1 / (1 + step);
    const scheduled = new RMSprop({ w: [1] }, { lr: schedule });
    scheduled.loadStateDict(dict);
    expect(scheduled.groups[0].lr).toBe(schedule(2));
    scheduled.grads.w[0] = 1;
    const reference = new RMSprop({ w: [1] }, { lr: schedule(2) });
    reference.loadStateDict({ ...dict, groups: [{ params: ["w"] }] });
    reference.grads.w[0] = 1;
    scheduled.step();
    reference.step();
    expect(exactly(scheduled.params.w)).toBe(exactly(reference.params.w));
  });

  it("keeps names that objects take for something else", () => {
    const names = ["__proto__", "constructor", "toString", "0", "a.b", 'q"\\\n'];
    const make = () => new RMSprop(Object.fromEntries(names.map((name) => [name, [2]])));
    const optimizer = make();
    train(optimizer, 0, 2);
    const other = make();
    other.loadStateDict(structuredClone(optimizer.stateDict()));
    expect(snapshot(other)).toEqual(snapshot(optimizer));
    expect(Object.keys(other.stateDict().tensors).sort()).toEqual([...names].sort());
  });

  it("takes any shape of as many elements where the tensor was given flat", () => {
    const shaped = new RMSprop({ w: [2, 3] });
    train(shaped, 0, 2);
    const flat = new RMSprop({ w: new Float32Array(6) });
    flat.loadStateDict(shaped.stateDict());
    expect(exactly(flat.params.w)).toBe(exactly(shaped.params.w));
    expect(() => shaped.loadStateDict(flat.stateDict())).toThrow(
      "w.shape of the state: got [6], expected [2, 3]",
    );
  });

  it("goes on between the shares of steps", () => {
    const shares = [0, 1, 2].map((index) => ({ shard: { index, count: 3 } }));
    const step = (optimizer: RMSprop<{ w: number[] }>) => {
      optimizer.grads.w.fill(1);
      for (const share of shares) optimizer.step(share);
    };
    const make = () => new RMSprop({ w: [500] as number[] }, { biasCorrection: true });
    const [optimizer, other] = [make(), make()];
    for (let i = 0; i < 2; i++) step(optimizer);
    const dict = optimizer.stateDict();
    for (let i = 0; i < 7; i++) step(other);
    other.loadStateDict(dict);
    for (const one of [optimizer, other]) step(one);
    expect(other.steps).toBe(3);
    expect(snapshot(other)).toEqual(snapshot(optimizer));
  });

  it("is for whoever shares the count of steps, too", () => {
    using optimizer = new RMSprop({ w: [4] }, { threads: 2 });
    using attached = RMSprop.attach(optimizer.handle);
    train(optimizer, 0, 2);
    const dict = attached.stateDict();
    expect(exactly(dict)).toEqual(snapshot(optimizer));
    train(optimizer, 2, 5);
    attached.loadStateDict(dict as Bad);
    expect(optimizer.steps).toBe(2);
    expect(snapshot(optimizer)).toEqual(exactly(dict));
  });
});
