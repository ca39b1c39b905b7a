/** A dense layer, forwards and backwards, on which the tasks' networks are built. */

export type Tensors = Readonly<Record<string, Float32Array>>;

/** The outputs of `rows` inputs: y = x·w + b, with w of `from` rows and `to` columns. */
export function affine(
  x: ArrayLike<number>,
  w: Float32Array,
  b: Float32Array,
  rows: number,
  from: number,
  to: number,
): Float64Array {
  const y = new Float64Array(rows * to);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < to; j++) y[r * to + j] = b[j]!;
    for (let i = 0; i < from; i++) {
      const value = x[r * from + i]!;
      // Most pixels of a digit are 0.
      if (value !== 0) for (let j = 0; j < to; j++) y[r * to + j]! += value * w[i * to + j]!;
    }
  }
  return y;
}

/** Adds the gradients of such a layer to `dw` and `db`, and gives that of its inputs unless it is the first. */
export function affineBackward(
  x: ArrayLike<number>,
  dy: Float64Array,
  { w, dw, db }: { w: Float32Array; dw: Float32Array; db: Float32Array },
  isFirst = false,
): Float64Array {
  const to = db.length;
  const from = w.length / to;
  const rows = dy.length / to;
  const dx = new Float64Array(isFirst ? 0 : rows * from);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < to; j++) db[j]! += dy[r * to + j]!;
    for (let i = 0; i < from; i++) {
      const value = x[r * from + i]!;
      if (value !== 0) for (let j = 0; j < to; j++) dw[i * to + j]! += value * dy[r * to + j]!;
      if (isFirst) continue;
      let sum = 0;
      for (let j = 0; j < to; j++) sum += w[i * to + j]! * dy[r * to + j]!;
      dx[r * from + i] = sum;
    }
  }
  return dx;
}

/** The mean cross entropy of labels, and, in the place of the logits, its gradient. */
export function crossEntropy(logits: Float64Array, labels: ArrayLike<number>, classes: number): number {
  const rows = labels.length;
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const row = logits.subarray(r * classes, (r + 1) * classes);
    const highest = row.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let j = 0; j < classes; j++) sum += Math.exp(row[j]! - highest);
    const label = labels[r]!;
    loss += Math.log(sum) + highest - row[label]!;
    for (let j = 0; j < classes; j++) {
      row[j] = (Math.exp(row[j]! - highest) / sum - Number(j === label)) / rows;
    }
  }
  return loss / rows;
}

/** The mean square of predictions' errors, and, in their place, its gradient. */
export function squaredError(predictions: Float64Array, targets: ArrayLike<number>): number {
  let loss = 0;
  for (let i = 0; i < predictions.length; i++) {
    const error = predictions[i]! - targets[i]!;
    loss += error * error;
    predictions[i] = (2 * error) / predictions.length;
  }
  return loss / predictions.length;
}

/** tanh in place; and the gradient before it, in place of the one behind it. */
export const tanh = (x: Float64Array) => {
  for (let i = 0; i < x.length; i++) x[i] = Math.tanh(x[i]!);
  return x;
};
export const tanhBackward = (y: Float64Array, dy: Float64Array) => {
  for (let i = 0; i < y.length; i++) dy[i]! *= 1 - y[i]! ** 2;
  return dy;
};

/** Normal draws by the sum of twelve uniform ones. */
export function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** Fills weights of a layer with `from` inputs. */
export function initialise(weights: Float32Array, from: number, random: () => number): void {
  for (let i = 0; i < weights.length; i++) weights[i] = normal(random) / Math.sqrt(from);
}
