import { countOf, hyperparametersOf, initialSquareAvg, inputsOf, type Work } from "./work.ts";

/** tf.js has the learning rate inside the momentum buffer, and eps inside the root: subtracted, where centered. */
export type Formula = "pytorch" | "tfjs";

/**
 * Says where `actual` departs from the formula in float64, or nothing.
 *
 * A step rounds p once, to half a unit in the last place. What it adds to p comes of at most eight roundings, each
 * carried into it at full size or less, and of hyperparameters rounded once. Twice that bound is allowed.
 * Of large tensors, a quarter of a million elements are compared: an odd stride meets every lane, and the end counts.
 */
export function findError(
  formula: Formula,
  work: Work,
  steps: number,
  actual: Float32Array,
): string | undefined {
  if (actual.length !== countOf(work)) return `gave ${actual.length} parameters, not ${countOf(work)}`;
  const { param, grad } = inputsOf(work);
  const stride = (actual.length >> 18) | 1;
  const tail = actual.length - 64;
  for (let i = 0; i < actual.length; i += i < tail ? stride : 1) {
    const { p, path } = runInDoubles(formula, work, steps, param[i]!, grad[i]!);
    const bound = 2 ** -23 * (steps * (Math.abs(p) + path) + 8 * path);
    if (!(Math.abs(actual[i]! - p) <= bound)) {
      return `parameter ${i} is ${actual[i]} after ${steps} steps, the formula gives ${p} ± ${bound}`;
    }
  }
  return undefined;
}

function runInDoubles(formula: Formula, work: Work, steps: number, param: number, grad: number) {
  const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = hyperparametersOf(work);
  let p = param;
  let v = initialSquareAvg[work.state];
  let a = 0;
  let m = 0;
  let path = 0;
  for (let step = 0; step < steps; step++) {
    const g = (maximize ? -grad : grad) + weightDecay * p;
    v = alpha * v + (1 - alpha) * g * g;
    if (centered) a = alpha * a + (1 - alpha) * g;
    const variance = v - a * a;
    const d = formula === "tfjs" ? Math.sqrt(centered ? variance - eps : v + eps) : Math.sqrt(variance) + eps;
    m = momentum * m + (lr * g) / d;
    p -= m;
    path += Math.abs(m);
  }
  return { p, path };
}
