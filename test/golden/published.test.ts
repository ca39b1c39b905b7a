/** The small golden values that other projects publish in their own tests of RMSprop hold for ours. */
import { type Backend, dialects, type Options, RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";

const BACKENDS: Backend[] = ["wasm", "js"];

/** Steps from `initial` along the gradients that `gradientAt` gives, and returns the parameters after every step. */
function walk(
  initial: readonly number[],
  options: Options,
  steps: number,
  gradientAt: (params: Float32Array, step: number) => ArrayLike<number>,
): number[][] {
  const optimizer = new RMSprop({ w: Float32Array.from(initial) }, options);
  expect(optimizer.backend).toBe(options.backend);
  return Array.from({ length: steps }, (_, step) => {
    optimizer.grads.w.set(gradientAt(optimizer.params.w, step));
    optimizer.step();
    return [...optimizer.params.w];
  });
}

/** Element by element, at most `tolerance` away. */
function expectClose(values: readonly number[] | undefined, published: readonly number[], tolerance: number) {
  expect(values).toHaveLength(published.length);
  published.forEach((value, i) => {
    expect(Math.abs(values![i]! - value)).toBeLessThanOrEqual(tolerance);
  });
}

describe.each(BACKENDS)("on backend %s", (backend) => {
  /** keras/src/optimizers/rmsprop_test.py, with its tolerances, and the example in the class's documentation. */
  describe("Keras 3", () => {
    const keras = { ...dialects.keras, backend };

    it("a single step", () => {
      const [after] = walk([1, 2, 3, 4], { ...keras, lr: 0.5 }, 1, () => [1, 6, 7, 2]);
      expectClose(after, [-0.5811, 0.4189, 1.4189, 2.4189], 1e-4);
    });

    it("weight decay with no gradient", () => {
      const decays = walk([2], { ...keras, lr: 1, weightDecay: 0.004 }, 3, () => [0]);
      expectClose(decays[2], [1.9760959], 1e-6);
    });

    it("centered, the defaults", () => {
      const grads = Array.from({ length: 10 }, (_, i) => (i + 1) / 10);
      const first = grads.map(() => 0.01);
      const all = walk(Array(10).fill(1), { ...keras, centered: true }, 5, (_, step) =>
        step ? grads : first,
      );
      [0.9967, 0.9933, 0.9908, 0.9885, 0.9864].forEach((value, step) => {
        expectClose(all[step], Array(10).fill(value), 1e-3); // its rtol and atol of 5e-4 together
      });
    });

    it("the documented example", () => {
      expectClose(walk([10], { ...keras, lr: 0.1 }, 1, (params) => params)[0], [9.683772], 1e-6);
    });
  });

  /** tfjs-core/src/optimizers/rmsprop_optimizer_test.ts: the sum of squares from 1 and 2. */
  describe("tf.js", () => {
    const tfjs = { ...dialects.tfjs, lr: 0.1, alpha: 0.95, momentum: 0.1, backend };
    const square = (params: Float32Array) => params.map((value) => 2 * value);

    it("plain", () => {
      const [first, second] = walk([1, 2], tfjs, 2, square);
      expectClose(first, [0.5527865, 1.5527864], 1e-6);
      expectClose(second, [0.2874418, 1.2294267], 1e-6);
    });

    // Its wrong sign moves these by 5e-7: epsilon is 1e-7, and a variance is 0.19 or more.
    it("centered", () => {
      const [first, second] = walk([1, 2], { ...tfjs, centered: true }, 2, square);
      expectClose(first, [0.5411684, 1.5411685], 2e-6);
      expectClose(second, [0.2677834, 1.2035918], 2e-6);
    });
  });

  /** dfdx/src/nn/optim/rmsprop.rs: five elements, the sum of (rate · p)², from 1, after the first and the fifth step. */
  describe("dfdx", () => {
    // timm's, it says, but for epsilon and for the learning rate, which stands outside the momentum.
    const dfdx = { ...dialects.timm, eps: 1e-8, lrInMomentum: false, backend };
    const rates = [0.1, 1, 2, 10, 100];

    it.each<[string, Options, number[], number[]]>([
      [
        "default",
        {},
        [0.9997892, 0.98245883, 0.9703907, 0.9683808, 0.96837723],
        [0.9988262, 0.9256831, 0.8990271, 0.8955128, 0.8955067],
      ],
      [
        "momentum",
        { momentum: 0.9 },
        [0.9997892, 0.98245883, 0.9703907, 0.9683808, 0.96837723],
        [0.9970101, 0.798177, 0.71185935, 0.69974965, 0.6997286],
      ],
      [
        "another alpha",
        { alpha: 0.5 },
        [0.99971724, 0.9873509, 0.9859671, 0.985858, 0.98585784],
        [0.99683434, 0.9457051, 0.9436056, 0.9434466, 0.9434464],
      ],
      [
        "another epsilon",
        { eps: 1e-2 },
        [0.9997904, 0.98252594, 0.97041094, 0.9683808, 0.96837723],
        [0.9988343, 0.9259014, 0.89906746, 0.8955129, 0.8955067],
      ],
      [
        "centered",
        { centered: true },
        [0.9997892, 0.98218256, 0.96900064, 0.9666708, 0.9666667],
        [0.9988262, 0.9190646, 0.8847198, 0.87998855, 0.8799804],
      ],
      [
        "L2 weight decay",
        { weightDecay: 0.5 },
        [0.9945992, 0.9797556, 0.97018003, 0.96838075, 0.96837723],
        [0.97128564, 0.9186157, 0.89865, 0.89551276, 0.8955067],
      ],
      [
        "decoupled weight decay",
        { weightDecay: 0.5, decoupledWeightDecay: true },
        [0.9947892, 0.97745883, 0.9653907, 0.9633808, 0.96337724],
        [0.9740982, 0.90218556, 0.8758817, 0.8724158, 0.87240976],
      ],
    ])("%s", (_, options, afterOne, afterFive) => {
      const steps = walk([1, 1, 1, 1, 1], { ...dfdx, ...options }, 5, (params) =>
        params.map((value, i) => 2 * value * rates[i]! ** 2),
      );
      expectClose(steps[0], afterOne, 1e-6);
      expectClose(steps[4], afterFive, 1e-6);
    });
  });
});
