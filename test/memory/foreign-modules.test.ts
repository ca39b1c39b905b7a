/** Somebody else's memory, with two real modules: the examples' networks in AssemblyScript and in C. */
import { type Options, RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { loadNetwork as loadManaged } from "../../examples/assemblyscript-module/network.ts";
import { hasClang, loadNetwork as loadC } from "../../examples/c-module/network.ts";
import { seededRandom } from "../../examples/mnist/random.ts";
import {
  type Attached,
  attach,
  initialise,
  type Network,
  pass,
  placePoints,
  train,
} from "../../examples/quadrants.ts";
import { bits } from "../support/kernels.ts";
import { describeWith } from "../support/required.ts";

const NAMES = ["w1", "b1", "w2", "b2"] as const;
const COUNTS = { w1: 32, b1: 16, w2: 16, b2: 1 };
const SHAPES = { w1: [32], b1: [16], w2: [16], b2: [1] };
const STEPS = 40;

type Tensors = Record<(typeof NAMES)[number], Float32Array>;

/** The module's own memory where its exports say that a tensor lies: no view of the optimizer's. */
function tensorsAt({ exports }: Network, of: "params" | "grads"): Tensors {
  const entries = NAMES.map((name) => {
    const { value } = exports[of === "params" ? name : (`d${name}` as const)];
    return [name, new Float32Array(exports.memory.buffer, value, COUNTS[name])];
  });
  return Object.fromEntries(entries);
}

const bitsOf = (tensors: Tensors) => Object.fromEntries(NAMES.map((name) => [name, bits(tensors[name])]));

function statesOf(optimizer: Attached): Float32Array[] {
  return NAMES.flatMap((name) => Object.values(optimizer.state[name]) as Float32Array[]);
}

/** A module with an optimizer attached, weights and 16 points. */
async function prepare(load: () => Promise<Network>, options?: Options) {
  const network = await load();
  const optimizer = attach(network, options);
  const random = seededRandom(7);
  initialise(optimizer, random);
  const batch = { points: placePoints(network, 16, random), count: 16, batch: 16 };
  return { network, optimizer, batch, random };
}

function describeModule(load: () => Promise<Network>): void {
  it.each(NAMES)("has gradients of %s that agree with central differences", async (name) => {
    const { network, optimizer, batch } = await prepare(load);
    const { backward } = network.exports;
    backward(batch.points, batch.count);
    const grads = tensorsAt(network, "grads")[name].slice();
    const values = tensorsAt(network, "params")[name];
    expect(grads.some((grad) => grad !== 0)).toBe(true);
    for (const [i, grad] of grads.entries()) {
      const value = values[i]!;
      const lossAt = (moved: number) => {
        values[i] = moved;
        return backward(batch.points, batch.count);
      };
      const [above, below] = [Math.fround(value + 2 ** -10), Math.fround(value - 2 ** -10)];
      const difference = (lossAt(above) - lossAt(below)) / (above - below);
      values[i] = value;
      expect(grad, `${name}[${i}]`).toBeCloseTo(difference, 5);
    }
    optimizer.zeroGrad();
    expect(tensorsAt(network, "grads")[name].every((grad) => grad === 0)).toBe(true);
  });

  it("learns: the loss falls below 0.1, and over 97 % of new points are right", async () => {
    const { network, optimizer, random } = await prepare(load);
    const batch = { points: placePoints(network, 64, random), count: 64, batch: 64 };
    const first = pass(network, optimizer, batch);
    for (let step = 1; step < 300; step++) pass(network, optimizer, batch);
    expect(first).toBeGreaterThan(0.3);
    expect(pass(network, optimizer, batch)).toBeLessThan(0.1);

    const lines: string[] = [];
    expect(train(await load(), (line) => lines.push(line))).toBeGreaterThan(0.97);
    expect(lines.join("\n")).toMatch(/memory grew from \d+ to \d+ bytes/);
  });

  it("is updated where it lies: a step writes parameters, gradients and state, and no other byte", async () => {
    const { network, optimizer, batch } = await prepare(load, { momentum: 0.9, centered: true });
    const { memory } = network.exports;
    network.exports.backward(batch.points, batch.count);

    const params = tensorsAt(network, "params");
    const grads = tensorsAt(network, "grads");
    for (const name of NAMES) {
      expect(optimizer.params[name].buffer).toBe(memory.buffer);
      expect(optimizer.params[name].byteOffset).toBe(params[name].byteOffset);
      expect(optimizer.grads[name].byteOffset).toBe(grads[name].byteOffset);
    }

    const before = new Uint8Array(memory.buffer).slice();
    optimizer.step({ zeroGrad: true });
    const after = new Uint8Array(memory.buffer).slice();
    expect(after.length).toBe(before.length);
    const written = [...Object.values(params), ...Object.values(grads), ...statesOf(optimizer)];
    for (const { byteOffset, byteLength } of written) {
      const range = [byteOffset, byteOffset + byteLength] as const;
      expect(after.subarray(...range)).not.toEqual(before.subarray(...range));
      after.fill(0, ...range);
      before.fill(0, ...range);
    }
    expect(Buffer.compare(after, before)).toBe(0);
  });

  it.each<[string, Options]>([
    ["plain", {}],
    ["with all state", { momentum: 0.9, centered: true, weightDecay: 0.01, ema: { decay: 0.9 } }],
  ])("gives the bits of an optimizer in its own memory, while the module's grows, %s", async (_, options) => {
    const { network, optimizer, batch, random } = await prepare(load, options);
    const own = new RMSprop(SHAPES, options);
    for (const name of NAMES) own.params[name].set(tensorsAt(network, "params")[name]);

    const { memory } = network.exports;
    const buffers = new Set([memory.buffer]);
    for (let step = 0; step < STEPS; step++) {
      if (step % 10 === 5) {
        placePoints(network, 20_000, random);
        buffers.add(memory.buffer);
      }
      if (step === 20) for (const { groups } of [optimizer, own]) groups[0].momentum = 0.5; // more state, perhaps
      pass(network, optimizer, batch, () => {
        const grads = tensorsAt(network, "grads");
        for (const name of NAMES) own.grads[name].set(grads[name]);
      });
      own.step({ zeroGrad: true });
    }
    expect(buffers.size).toBeGreaterThanOrEqual(3); // each growth makes a new one
    expect(bitsOf(tensorsAt(network, "params"))).toEqual(bitsOf(own.params));
    expect(statesOf(optimizer).map(bits)).toEqual(statesOf(own as unknown as Attached).map(bits));
  });
}

/** The state on pages of its own, then room in the module: whether that lies apart from the state. */
async function keepsOffGrownPages(load: () => Promise<Network>): Promise<boolean> {
  const { network, optimizer, random } = await prepare(load, { allocate: undefined });
  for (let i = 0; i < 20; i++) {
    const start = placePoints(network, 10_000, random);
    const end = start + 10_000 * 12;
    const meets = (state: Float32Array) =>
      state.byteOffset < end && start < state.byteOffset + state.byteLength;
    if (statesOf(optimizer).some(meets)) return false;
  }
  return true;
}

describe("a module in AssemblyScript, with its garbage collector", () => {
  describeModule(loadManaged);

  it("keeps pinned state through collections", async () => {
    const { network, optimizer, batch, random } = await prepare(loadManaged);
    const { exports } = network as Awaited<ReturnType<typeof loadManaged>>;
    const own = await prepare(loadManaged);
    for (let step = 0; step < STEPS; step++) {
      exports.__collect();
      for (const size of [4, 64, 128]) exports.__new(size, exports.BYTES.value); // into what was freed
      exports.predict(random(), random());
      pass(network, optimizer, batch);
      pass(own.network, own.optimizer, own.batch);
    }
    expect(bitsOf(tensorsAt(network, "params"))).toEqual(bitsOf(tensorsAt(own.network, "params")));
  });

  // Its network has allocated by then: the first allocation takes all the memory that there is.
  it("leaves grown pages to whoever grew them, so that it may do without options.allocate", async () => {
    expect(await keepsOffGrownPages(loadManaged)).toBe(true);
  });
});

const clang = { name: "clang with wasm-ld", isThere: hasClang(), install: "apt-get install clang lld" };
describeWith(clang, "a module in C", () => {
  describeModule(loadC);

  it("takes grown pages for its own, so that it needs options.allocate", async () => {
    expect(await keepsOffGrownPages(loadC)).toBe(false);
  });

  it("learns the same bits as the module in AssemblyScript", async () => {
    const [managed, c] = [await loadManaged(), await loadC()];
    for (const network of [managed, c]) train(network, () => {});
    expect(bitsOf(tensorsAt(c, "params"))).toEqual(bitsOf(tensorsAt(managed, "params")));
  });
});
