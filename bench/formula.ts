import {
  countOf,
  initialSquareAvg,
  inputsOf,
  oncePerWork,
  type ResultPlane,
  resultPlanes,
  type Settings,
  settingsOf,
  type Work,
} from "./work.ts";

/** tf.js has the learning rate inside the momentum buffer, and eps inside the root: subtracted, where centered. */
export type Formula = "pytorch" | "tfjs";

/**
 * Names the first place where `actual`, the work's result planes, departs from the formula in float64; undefined if none
 * does.
 *
 * A step rounds p once, to half a unit in the last place. Its change of p has at most eight roundings, each carried into
 * it at full size or less, and hyperparameters rounded once. Twice that bound is allowed. The average
 * of p has p's error, and rounds as often itself. A norm summed in float32 errs by about the root of the count (in
 * PyTorch, 1e-7 at 16 k and 7e-5 at 16 M), and so does a gradient clipped to it.
 * A quarter of a million elements of a large tensor are compared: an odd stride meets every lane, and the end counts.
 */
export function findError(
  formula: Formula,
  work: Work,
  steps: number,
  actual: Float32Array,
): string | undefined {
  const count = countOf(work);
  const planes = resultPlanes(work);
  if (actual.length !== planes.length * count) {
    return `gave ${actual.length} values, not ${planes.join(", ")} of ${count} each`;
  }
  const { param, grad } = inputsOf(work);
  const factors = gradFactors(work);
  const settings = settingsOf(work);
  const normError = Math.min(settings.clipNorm, settings.globalClipNorm) < Infinity ? Math.sqrt(count) : 0;
  // In doubles, the formula here errs as far as the way that it judges.
  const roundings = work.elements === "float64" ? 2 ** -51 : 2 ** -23;
  const stride = (count >> 18) | 1;
  const tail = count - 64;
  for (let i = 0; i < count; i += i < tail ? stride : 1) {
    const g = grad[i]! * factors[Math.floor(i / work.size)]!;
    const { p, e, path } = runInDoubles(formula, settings, steps, {
      param: param[i]!,
      grad: g,
      squareAvg: initialSquareAvg[work.state],
    });
    const bound = roundings * (steps * (Math.abs(p) + path) + (8 + normError) * path);
    const expected: Record<ResultPlane, [number, number]> = {
      param: [p, bound],
      ema: [e, 2 * bound],
      grad: [0, 0],
    };
    for (const [at, plane] of planes.entries()) {
      const value = actual[at * count + i]!;
      const [right, allowed] = expected[plane];
      if (!(Math.abs(value - right) <= allowed)) {
        return `${names[plane]} ${i} is ${value} after ${steps} steps, the formula gives ${right} ± ${allowed}`;
      }
    }
  }
  return undefined;
}

const names: Record<ResultPlane, string> = { param: "parameter", ema: "average", grad: "gradient" };

/** The factors of each tensor's gradient: the scale, the sign, and the share that clipping by norm leaves. */
const gradFactors = oncePerWork((work) => {
  const { gradScale, maximize, clipNorm, globalClipNorm } = settingsOf(work);
  const { grad } = inputsOf(work);
  const sums = Array.from({ length: work.tensors }, (_, i) => sumOfSquares(grad, i * work.size, work.size));
  const whole = sums.reduce((sum, one) => sum + one);
  const share = (sum: number, limit: number) => Math.min(1, limit / (Math.abs(gradScale) * Math.sqrt(sum)));
  const scale = (maximize ? -gradScale : gradScale) * share(whole, globalClipNorm);
  return sums.map((sum) => scale * share(sum, clipNorm));
});

function sumOfSquares(values: Float32Array, start: number, length: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += values[i]! ** 2;
  return sum;
}

function runInDoubles(
  formula: Formula,
  settings: Settings,
  steps: number,
  { param, grad, squareAvg }: { param: number; grad: number; squareAvg: number },
) {
  const { lr, alpha, eps, epsInsideSqrt, weightDecay, decoupledWeightDecay, clipValue } = settings;
  const { momentum, lrInMomentum, nesterov, centered, biasCorrection, ema } = settings;
  let p = param;
  let v = squareAvg;
  let a = 0;
  let m = 0;
  let e = 0;
  let path = 0;
  for (let step = 0; step < steps; step++) {
    const rate = typeof lr === "number" ? lr : lr(step);
    let g = Math.min(Math.max(grad, -clipValue), clipValue);
    if (decoupledWeightDecay) p *= 1 - rate * weightDecay;
    else g += weightDecay * p;
    v = alpha * v + (1 - alpha) * g * g;
    if (centered) a = alpha * a + (1 - alpha) * g;
    const correction = biasCorrection ? 1 - alpha ** (step + 1) : 1;
    const variance = (v - a * a) / correction;
    let d = Math.sqrt(variance) + eps;
    if (epsInsideSqrt) d = Math.sqrt(variance + eps);
    if (formula === "tfjs") d = Math.sqrt(centered ? variance - eps : variance + eps);
    const u = ((lrInMomentum ? rate : 1) * g) / d;
    m = momentum * m + u;
    const change = (lrInMomentum ? 1 : rate) * (nesterov ? u + momentum * m : m);
    p -= change;
    path += Math.abs(change);
    if (ema) e = step === 0 ? p : e + (1 - ema.decay) * (p - e);
  }
  return { p, e, path };
}
