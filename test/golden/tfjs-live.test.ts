/** tf.js run live beside ours, on the same gradients as the golden vectors'. */
import { type Backend, dialects, type Options, RMSprop } from "rmsprop-wasm";
import { beforeAll, expect, it } from "vitest";
import { describeWith } from "../support/required.ts";
import { loadTfjs, type Tf, tfjs, train } from "../tfjs/installed.ts";
import { distance, expectNoFarther } from "./distance.ts";
import { runExactly } from "./exact.ts";
import { ELEMENTS, gradients, parameters } from "./inputs.ts";
import { tfjsMathematics } from "./tfjs.ts";

/** What its RMSprop says of itself. */
interface Config {
  decay: number;
  epsilon: number;
  momentum: number;
  centered: boolean;
}

const STEPS = 200;
const BACKENDS: Backend[] = ["wasm", "js"];

describeWith(tfjs, "beside tf.js", () => {
  let tf: Tf;
  beforeAll(async () => {
    ({ tf } = await loadTfjs());
    await tf.setBackend("cpu");
  });

  function trainOurs(
    options: Options,
    initial: Float32Array,
    steps: Iterable<ArrayLike<number>>,
  ): Float32Array {
    const optimizer = new RMSprop({ w: initial }, { ...dialects.tfjs, ...options });
    expect(optimizer.backend).toBe(options.backend);
    for (const values of steps) {
      optimizer.grads.w.set(values);
      optimizer.step();
    }
    return optimizer.params.w.slice();
  }

  const steps = Array.from({ length: STEPS }, (_, step) => gradients("ordinary", step));
  const all = Array.from({ length: ELEMENTS }, (_, i) => i);

  it("is the version that the dialect is of, and has its defaults", () => {
    expect(tf.version_core).toBe("4.22.0");
    const { decay, epsilon, momentum, centered } = tf.train.rmsprop(1).getConfig() as unknown as Config;
    const ours = new RMSprop({ w: [1] }, dialects.tfjs).groups[0];
    expect(ours).toMatchObject({ alpha: decay, eps: epsilon, momentum, centered });
  });

  it.each([
    { title: "with its defaults", momentum: 0 },
    { title: "with momentum", momentum: 0.9 },
  ])("is as near to float64, $title, after 200 steps", ({ momentum }) => {
    const lr = 1e-3;
    const optimizer = momentum ? tf.train.rmsprop(lr, undefined, momentum) : tf.train.rmsprop(lr);
    const { decay: alpha, epsilon: eps } = optimizer.getConfig() as unknown as Config;
    const mathematics = tfjsMathematics({ lr, alpha, eps, momentum, centered: false });
    const { parameters: exact } = runExactly(mathematics, "ordinary", { steps: STEPS });
    const theirs = train(tf, optimizer, parameters(), steps);
    for (const backend of BACKENDS) {
      const ours = trainOurs({ lr, momentum, backend }, parameters(), steps);
      expectNoFarther(distance(ours, exact, all), distance(theirs, exact, all));
    }
  });

  // It subtracts epsilon from the variance where it should add it: sqrt(v − (a² + eps)). An element whose first
  // gradient is zero, as a dead unit's is, has the root of −eps, and is NaN for good.
  it.each(BACKENDS)(
    "makes an element NaN, centered, whose first gradient is zero; ours on %s doesn't",
    (backend) => {
      const some = [
        [0, 0.5],
        [0.5, 0.5],
        [0.5, -0.5],
      ];
      const theirs = train(tf, tf.train.rmsprop(0.01, undefined, 0, undefined, true), [1, 1], some);
      expect([...theirs].map(Number.isFinite)).toEqual([false, true]);
      const ours = trainOurs({ lr: 0.01, centered: true, backend }, Float32Array.of(1, 1), some);
      expect([...ours].map(Number.isFinite)).toEqual([true, true]);
      // Elsewhere epsilon is lost beside the variance, and the two agree.
      expect(ours[1]).toBeCloseTo(theirs[1]!, 6);
    },
  );

  // The square of 1e20 is more than float32 holds: theirs averages infinity from then on, and every later update is
  // g/∞. Ours keeps the largest finite number, which a factor of 0.9 per step takes back to ordinary size in time.
  it.each(BACKENDS)("stops an element for ever that met a huge gradient; ours on %s learns on", (backend) => {
    const some = [[1e20], ...Array.from({ length: 1000 }, () => [1])];
    const theirs = train(tf, tf.train.rmsprop(0.01), [1], some);
    const ours = trainOurs({ lr: 0.01, backend }, Float32Array.of(1), some);
    expect(theirs[0]).toBe(1);
    expect(ours[0]).toBeLessThan(0.5);
  });
});
