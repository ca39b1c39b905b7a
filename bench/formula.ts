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
  const rates = ratesOf(work, settings, steps);
  const normError = Math.min(settings.clipNorm, settings.globalClipNorm) < Infinity ? Math.sqrt(count) : 0;
  // In doubles, the formula here errs as far as the way that it judges.
  const roundings = work.elements === "float64" ? 2 ** -51 : 2 ** -23;
  const stride = (count >> 18) | 1;
  const tail = count - 64;
  for (let i = 0; i < count; i += i < tail ? stride : 1) {
    const g = grad[i]! * factors[Math.floor(i / work.size)]!;
    const { p, e, path } = runInDoubles(formula, settings, rates, {
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

/** The rate of a step, and the share by which the whole way so far grows with it if it is a learned one. */
interface Rate {
  rate: number;
  growth: number;
}

function ratesOf(work: Work, settings: Settings, steps: number): Rate[] {
  const { lr } = settings;
  if (lr === "auto") return learnedRates(work, settings, steps);
  return Array.from({ length: steps }, (_, step) => ({
    rate: typeof lr === "number" ? lr : lr(step),
    growth: 0,
  }));
}

/** The rates that all elements teach six learners together (docs/no-tuning.md). */
function learnedRates(work: Work, settings: Settings, steps: number): Rate[] {
  const inputs = inputsOf(work);
  const factors = gradFactors(work);
  const learners = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].map((beta) => ({
    beta,
    m: 0,
    v: 0,
    r: 0,
    s: 1e-6,
  }));
  const sum = () => learners.reduce((total, { s }) => total + s, 0);
  const rates: Rate[] = [];
  for (let step = 0; step < steps; step++) {
    const before = sum() + 1e-8;
    let h = 0;
    for (let i = 0; step > 0 && i < inputs.grad.length; i++) {
      const grad = inputs.grad[i]! * factors[Math.floor(i / work.size)]!;
      const { p } = runInDoubles("pytorch", settings, rates, {
        param: 0,
        grad,
        squareAvg: initialSquareAvg[work.state],
      });
      h -= (grad * p) / before;
    }
    for (const one of learners) {
      one.r = one.beta * one.r + Math.min(Math.max(h, -one.m), one.m) * one.s;
      one.m = Math.max(one.beta * one.m, Math.abs(h) + 1e-8);
      one.v = one.beta ** 2 * one.v + h * h;
      one.s = ((1e-6 / 6) * one.m + Math.max(one.r, 0)) / (Math.sqrt(one.v) + 1e-8);
    }
    rates.push({ rate: sum(), growth: sum() / before - 1 });
  }
  return rates;
}

function runInDoubles(
  formula: Formula,
  settings: Settings,
  rates: readonly Rate[],
  { param, grad, squareAvg }: { param: number; grad: number; squareAvg: number },
) {
  const { alpha, eps, epsInsideSqrt, weightDecay, decoupledWeightDecay, clipValue } = settings;
  const { momentum, lrInMomentum, nesterov, centered, biasCorrection, ema, scheduleFree } = settings;
  let p = param;
  let v = squareAvg;
  let a = 0;
  let m = 0;
  let e = 0;
  let path = 0;
  let moved = 0;
  let z = param;
  for (const [step, { rate, growth }] of rates.entries()) {
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
    let change = (lrInMomentum ? 1 : rate) * (nesterov ? u + momentum * m : m) - growth * moved;
    moved -= change;
    if (scheduleFree) {
      // Every step weighs as much: c is 1/t, and beta 0.9.
      const c = 1 / (step + 1);
      const way = z - p;
      z -= change;
      change = (1 - 0.9 * (1 - c)) * change - c * way;
    }
    p -= change;
    path += Math.abs(change);
    if (ema) e = step === 0 ? p : e + (1 - ema.decay) * (p - e);
  }
  return { p, e, path };
}
