/** A table whose rows tests step by, and its dense run in float64. */
import type { Options } from "rmsprop-wasm";
import { seeded } from "./kernels.ts";

export const ROWS = 23;
export const WIDTH = 5;

/** Initial values, the same in each optimizer. */
export const table = () => {
  const next = seeded(1);
  return {
    shape: [ROWS, WIDTH],
    values: Float32Array.from({ length: ROWS * WIDTH }, () => next() / 2 ** 31 - 1),
  };
};
export const shapes = () => ({ e: table(), b: [7] });

/** A dense run of the table in float64. */
export class InFloat64 {
  readonly param = Float64Array.from(table().values);
  readonly squareAvg = new Float64Array(ROWS * WIDTH);
  readonly gradAvg = new Float64Array(ROWS * WIDTH);
  readonly momentumBuffer = new Float64Array(ROWS * WIDTH);
  readonly ema = new Float64Array(ROWS * WIDTH);

  constructor(private readonly options: Options) {}

  step(grad: Float32Array, step: number): void {
    const { lr: rate = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, weightDecay = 0, ...o } = this.options;
    const lr = typeof rate === "function" ? rate(step) : Number(rate);
    const { param: p, squareAvg: v, gradAvg: a, momentumBuffer: m, ema: e } = this;
    const correction = o.biasCorrection ? 1 - alpha ** (step + 1) : 1;
    for (let i = 0; i < p.length; i++) {
      const g = grad[i]!;
      v[i] = alpha * v[i]! + (1 - alpha) * g * g;
      a[i] = alpha * a[i]! + (1 - alpha) * g;
      const q = (v[i]! - (o.centered ? a[i]! ** 2 : 0)) / correction;
      const inside = momentum > 0 && !o.lrInMomentum ? 1 : lr;
      let u = (inside * g) / (Math.sqrt(Math.max(q, 0)) + eps);
      if (momentum > 0) {
        m[i] = momentum * m[i]! + u;
        u = o.nesterov ? u + momentum * m[i]! : m[i]!;
      }
      p[i] = p[i]! * (1 - lr * weightDecay) - (lr / inside) * u;
      const kept = o.ema && step > 0 ? o.ema.decay : 0;
      e[i] = kept * e[i]! + (1 - kept) * p[i]!;
    }
  }
}
