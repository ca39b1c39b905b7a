/** A table whose rows tests step by, and its dense run in float64. */
import type { Options, RMSprop } from "rmsprop-wasm";
import { seeded } from "./kernels.ts";
import { exactly } from "./runs.ts";

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

export type Table = RMSprop<Record<string, number[]>>;
/** Any entry's optimizer, as one type. */
export const as = (optimizer: unknown) => optimizer as Table;

export const every = Array.from({ length: ROWS }, (_, row) => row);

/** The rows of a step: some, by the step's number. */
export function rowsAt(step: number): number[] {
  const next = seeded(step + 1000);
  return Array.from({ length: 1 + (next() % 9) }, () => next() % ROWS);
}

/** Writes gradients of a step: those of the rows, and zeros beside them; all of what isn't a table. */
export function write({ grads }: Pick<Table, "grads">, rows: Iterable<number>, step: number): void {
  const next = seeded(step);
  const values = Float32Array.from({ length: ROWS * WIDTH + 7 }, () => next() / 2 ** 31 - 1);
  grads.e!.fill(0);
  for (const row of rows) grads.e!.set(values.subarray(row * WIDTH, (row + 1) * WIDTH), row * WIDTH);
  grads.b!.set(values.subarray(ROWS * WIDTH));
}

/** Parameters and state, without the counts of rows, which a dense run lacks. */
export function valuesOf(optimizer: Table): unknown {
  const { tensors } = optimizer.stateDict();
  return exactly(Object.values(tensors).map(({ rowSteps, ...others }) => others));
}

export function rms(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values, (value) => value * value).reduce((a, b) => a + b, 0) / values.length);
}

/** Options by which rows move, or their averages do, while they have no gradient. */
export const MOVING: Options[] = [
  {},
  { centered: true, biasCorrection: true },
  { momentum: 0.9 },
  { momentum: 0.9, nesterov: true, lr: (step) => 0.01 / (1 + step / 50) },
  { momentum: 0.9, lrInMomentum: true, nesterov: true },
  { weightDecay: 0.1, decoupledWeightDecay: true, lr: (step) => 0.05 / (1 + step / 50) },
  { momentum: 0.8, weightDecay: 0.1, decoupledWeightDecay: true, lr: 0.05, ema: { decay: 0.95 } },
  { ema: { decay: 0.95 } },
  { alpha: 0.3, momentum: 0.5 },
];

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
