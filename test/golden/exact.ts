/** Every option's mathematics in float64, with nothing that guards against float32: what rounding is measured by. */
import { ELEMENTS, gradients, type Kind, parameters, stepsOf, TENSOR_SIZES } from "./inputs.ts";
import { type GoldenOptions, scheduleOf } from "./vectors.ts";

/** Named as the results in the manifest are. */
export interface Exact {
  parameters: Float64Array;
  squareAvg: Float64Array;
  gradAvg: Float64Array;
  ema: Float64Array;
  z: Float64Array;
  evaluated: Float64Array;
}

/** @param correctsFirst - corrects both averages before it centers, as Optax does, instead of their difference. */
export function runExactly(
  options: GoldenOptions,
  kind: Kind,
  { steps = stepsOf(kind), correctsFirst = false } = {},
): Exact {
  const { lr: rate, alpha, eps, weightDecay, momentum } = options;
  const lrAt = typeof rate === "number" ? () => rate : scheduleOf(rate);
  const lrOutside = momentum > 0 && !options.lrInMomentum;
  const p = Float64Array.from(parameters());
  const v = new Float64Array(ELEMENTS).fill(options.initialSquareAvg);
  const a = new Float64Array(ELEMENTS);
  const m = new Float64Array(ELEMENTS);
  const ema = new Float64Array(ELEMENTS);
  const z = p.slice();
  const free = options.scheduleFree;
  let weightSum = 0;
  let lrMax = 0;

  for (let step = 0; step < steps; step++) {
    const lr = lrAt(step) * (free && step < free.warmupSteps ? (step + 1) / free.warmupSteps : 1);
    lrMax = Math.max(lrMax, lr);
    const weight = free ? (step + 1) ** free.r * lrMax ** free.weightLrPower : 0;
    weightSum += weight;
    const share = weight / weightSum;
    const correction = options.biasCorrection ? 1 - alpha ** (step + 1) : 1;
    const emaDecay = step > 0 && options.ema ? options.ema.decay : 0;
    const clipped = clippedByNorm(gradients(kind, step), options);
    for (let i = 0; i < ELEMENTS; i++) {
      let g = options.maximize ? -clipped[i]! : clipped[i]!;
      if (options.clipValue !== null) g = Math.min(Math.max(g, -options.clipValue), options.clipValue);
      if (!options.decoupledWeightDecay) g += weightDecay * p[i]!;
      v[i] = alpha * v[i]! + (1 - alpha) * g * g;
      a[i] = alpha * a[i]! + (1 - alpha) * g;
      const square = options.centered ? a[i]! ** 2 : 0;
      const q = (v[i]! - square / (correctsFirst ? correction : 1)) / correction;
      const d = options.epsInsideSqrt ? Math.sqrt(q + eps) : Math.sqrt(q) + eps;
      let u = ((lrOutside ? 1 : lr) * g) / d;
      if (momentum > 0) {
        m[i] = momentum * m[i]! + u;
        u = options.nesterov ? u + momentum * m[i]! : m[i]!;
      }
      if (lrOutside) u *= lr;
      if (options.decoupledWeightDecay) u += lr * weightDecay * p[i]!;
      if (free) {
        // The average x, of which the parameter is the share beta.
        let x = (p[i]! - (1 - free.beta) * z[i]!) / free.beta;
        z[i]! -= u;
        x = (1 - share) * x + share * z[i]!;
        p[i] = (1 - free.beta) * z[i]! + free.beta * x;
      } else {
        p[i]! -= u;
      }
      ema[i] = emaDecay * ema[i]! + (1 - emaDecay) * p[i]!;
    }
  }
  const beta = free?.beta ?? 1;
  const evaluated = p.map((y, i) => (y - (1 - beta) * z[i]!) / beta);
  return { parameters: p, squareAvg: v, gradAvg: a, ema, z, evaluated };
}

function clippedByNorm(gradient: Float32Array, { clipNorm, globalClipNorm }: GoldenOptions): Float64Array {
  const all = Float64Array.from(gradient);
  if (globalClipNorm !== null) scaleDown(all, globalClipNorm);
  if (clipNorm !== null) {
    scaleDown(all.subarray(0, TENSOR_SIZES[0]), clipNorm);
    scaleDown(all.subarray(TENSOR_SIZES[0]), clipNorm);
  }
  return all;
}

function scaleDown(values: Float64Array, limit: number): void {
  const norm = Math.hypot(...values);
  if (norm > limit) for (let i = 0; i < values.length; i++) values[i]! *= limit / norm;
}
