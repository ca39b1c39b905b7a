/** Somebody else's memory in double: the example's network in C, compiled so, and the entry over float64. */
import { MemoryError, type Options, RMSprop } from "rmsprop-wasm/f64";
import { expect, it } from "vitest";
import { hasClang, loadNetwork } from "../../examples/c-module/network.ts";
import { seededRandom } from "../../examples/mnist/random.ts";
import { bits } from "../support/kernels.ts";
import { describeWith } from "../support/required.ts";

const COUNTS = { w1: 32, b1: 16, w2: 16, b2: 1 };
const NAMES = Object.keys(COUNTS) as (keyof typeof COUNTS)[];
const POINTS = 64;

/** A module with an optimizer on its tensors, weights and points. */
async function prepare(options: Options = {}) {
  const { exports, allocate } = await loadNetwork({ real: "double" });
  const { memory, w1, b1, w2, b2, dw1, db1, dw2, db2 } = exports;
  const adopted = {
    w1: { param: w1.value, grad: dw1.value, count: COUNTS.w1 },
    b1: { param: b1.value, grad: db1.value, count: COUNTS.b1 },
    w2: { param: w2.value, grad: dw2.value, count: COUNTS.w2 },
    b2: { param: b2.value, grad: db2.value, count: COUNTS.b2 },
  };
  const optimizer = new RMSprop(adopted, { memory, allocate, ...options });
  const random = seededRandom(7);
  for (const name of NAMES)
    for (let i = 0; i < COUNTS[name]; i++) optimizer.params[name][i] = 2 * random() - 1;
  const points = allocate(POINTS * 3 * 8);
  const values = new Float64Array(memory.buffer, points, POINTS * 3);
  for (let i = 0; i < values.length; i += 3) {
    const [x, y] = [2 * random() - 1, 2 * random() - 1];
    values.set([x, y, x * y > 0 ? 1 : -1], i);
  }
  /** The module's memory at a tensor: no view of the optimizer's. */
  const at = (name: keyof typeof COUNTS, of: "param" | "grad") =>
    new Float64Array(memory.buffer, adopted[name][of], COUNTS[name]);
  return { optimizer, memory, allocate, adopted, at, backward: () => exports.backward(points, POINTS) };
}

const clang = { name: "clang with wasm-ld", isThere: hasClang(), install: "apt-get install clang lld" };
describeWith(clang, "a module in C over double", () => {
  it.each(NAMES)("has gradients of %s that agree with central differences, to ten digits", async (name) => {
    const { optimizer, at, backward } = await prepare();
    backward();
    const grads = at(name, "grad").slice();
    const values = at(name, "param");
    for (const [i, grad] of grads.entries()) {
      const value = values[i]!;
      const lossAt = (moved: number) => {
        values[i] = moved;
        return backward();
      };
      const difference = (lossAt(value + 2 ** -17) - lossAt(value - 2 ** -17)) / 2 ** -16;
      values[i] = value;
      expect(grad, `${name}[${i}]`).toBeCloseTo(difference, 9);
    }
    optimizer.zeroGrad();
    expect(at(name, "grad").every((grad) => grad === 0)).toBe(true);
  });

  it.each<Options>([
    {},
    { momentum: 0.9, centered: true, weightDecay: 0.01, ema: { decay: 0.9 }, backend: "js" },
  ])("learns where its tensors lie, with the bits of an optimizer in its own memory: %o", async (options) => {
    const { optimizer, memory, at, backward } = await prepare(options);
    const own = new RMSprop({ w1: [32], b1: [16], w2: [16], b2: [1] }, options);
    for (const name of NAMES) own.params[name].set(at(name, "param"));
    const first = backward();
    optimizer.zeroGrad();
    for (let step = 0; step < 300; step++) {
      if (step === 100) memory.grow(1);
      backward();
      for (const name of NAMES) own.grads[name].set(at(name, "grad"));
      optimizer.step({ zeroGrad: true });
      own.step({ zeroGrad: true });
    }
    expect(backward()).toBeLessThan(0.3 * first);
    for (const name of NAMES) {
      expect(bits(at(name, "param"))).toEqual(bits(own.params[name]));
      expect(bits(optimizer.state[name].squareAvg)).toEqual(bits(own.state[name].squareAvg));
    }
  });

  it("has its addresses refused where no double may begin, and nothing is written", async () => {
    const { memory, allocate, adopted } = await prepare();
    const before = new Uint8Array(memory.buffer).slice();
    for (const of of ["param", "grad"] as const) {
      const misplaced = { ...adopted.w2, [of]: adopted.w2[of] + 4 };
      const make = () => new RMSprop({ w2: misplaced }, { memory, allocate });
      expect(make).toThrow(MemoryError);
      expect(make).toThrow(`${of} of "w2": got byte offset ${misplaced[of]}, expected a multiple of 8`);
    }
    expect(Buffer.compare(new Uint8Array(memory.buffer), before)).toBe(0);
    const offBy4 = { memory, allocate: (byteLength: number) => allocate(byteLength + 4) + 4 };
    expect(() => new RMSprop({ w: [3] }, offBy4)).toThrow(
      /gave for 32 bytes: got byte offset \d+, .*multiple of 8/,
    );
  });
});
