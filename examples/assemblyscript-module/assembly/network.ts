/**
 * A network of 2 inputs, 16 hidden units and 1 output, on AssemblyScript's managed heap:
 *
 *     h = softsign(b1 + x·w1[0] + y·w1[1])    out = b2 + h·w2    loss = ½(out − target)²
 *
 * A `StaticArray` is its address, so each exported global tells the optimizer the place of a tensor. The garbage
 * collector never moves an object, and never frees one that a global holds.
 */
const HIDDEN = 16;

export const w1 = new StaticArray<f32>(2 * HIDDEN);
export const b1 = new StaticArray<f32>(HIDDEN);
export const w2 = new StaticArray<f32>(HIDDEN);
export const b2 = new StaticArray<f32>(1);

export const dw1 = new StaticArray<f32>(2 * HIDDEN);
export const db1 = new StaticArray<f32>(HIDDEN);
export const dw2 = new StaticArray<f32>(HIDDEN);
export const db2 = new StaticArray<f32>(1);

/** The id that `__new` needs to make room for bytes. */
export const BYTES: u32 = idof<ArrayBuffer>();

/** A curve of tanh's shape that takes one division. */
function softsign(x: f64): f64 {
  return x / (1 + abs(x));
}

function forward(x: f64, y: f64, hidden: StaticArray<f64>): f64 {
  let out: f64 = b2[0];
  for (let j = 0; j < HIDDEN; j++) {
    hidden[j] = softsign(b1[j] + x * w1[j] + y * w1[HIDDEN + j]);
    out += hidden[j] * w2[j];
  }
  return out;
}

export function predict(x: f64, y: f64): f64 {
  return forward(x, y, new StaticArray<f64>(HIDDEN));
}

/** Adds the gradient of the mean loss over `count` points (x, y, target) to dw1, db1, dw2, db2; returns that loss. */
export function backward(points: usize, count: i32): f64 {
  const hidden = new StaticArray<f64>(HIDDEN); // garbage after each call: the collector has work in training
  let loss: f64 = 0;
  for (let i = 0; i < count; i++, points += 12) {
    const x: f64 = load<f32>(points);
    const y: f64 = load<f32>(points, 4);
    const error = forward(x, y, hidden) - load<f32>(points, 8);
    loss += (0.5 * error * error) / count;

    const dout = error / count;
    db2[0] += f32(dout);
    for (let j = 0; j < HIDDEN; j++) {
      dw2[j] += f32(dout * hidden[j]);
      const slope = 1 - abs(hidden[j]); // softsign'(x) = (1 − |softsign(x)|)²
      const dsum = dout * w2[j] * slope * slope;
      db1[j] += f32(dsum);
      dw1[j] += f32(dsum * x);
      dw1[HIDDEN + j] += f32(dsum * y);
    }
  }
  return loss;
}
