/**
 * What `optimizer.report()` measures, in one pass over a tensor that writes nothing but scratch memory. Rates and updates
 * come of the update loop's own float32 operations in its order (`rmsprop.ts`), so they are what a step has; squares are
 * added up in double, from first to last. `src/reference-report.ts` is the same text in plain JavaScript.
 *
 * No vectors: they took half the time, for 400 bytes more, and this is a diagnosis. Nor did a test at the bottom of
 * the loop gain anything here, where no constant has to be moved out of it.
 */
import { CENTERED, CORRECTED, DECAYED, MOMENTUM, NESTEROV } from "./rmsprop";

const BIN_BITS: u32 = 11;
const BINS: u32 = 1 << BIN_BITS;

/**
 * Measures `count` elements of each plane. `variant` and scalars are those of `update`; the gradient is scaled and
 * clipped in any case, by neutral numbers where the variant has none. Written to `scratch`:
 *
 *     0     u32 × 2048  histogram: elements by 11 bits of their rate, from bit `shift` up, of those rates whose bits
 *                       above are those of `prefix`. No rate is negative, so their bits have the order of their values
 *     8192  f64 × 7     sums of the squares of gradients, updates and parameters; smallest and largest rate; how many
 *                       gradients are zero; how many elements are left out
 *
 * Left out, of all but the count of zeros, is an element whose gradient, parameter, rate or update is not finite.
 */
export function report(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  count: u32,
  epsInside: f32,
  eps: f32,
  updateScale: f32,
  momentum: f32,
  bufferScale: f32,
  gradScale: f32,
  clipValue: f32,
  weightDecay: f32,
  correction: f32,
  scratch: usize,
  prefix: u32,
  shift: u32,
): void {
  memory.fill(scratch, 0, BINS << 2);
  let gradSquares: f64 = 0;
  let updateSquares: f64 = 0;
  let paramSquares: f64 = 0;
  let smallest: f32 = Infinity;
  let largest: f32 = 0;
  let zeros: u32 = 0;
  let leftOut: u32 = 0;
  const lr = updateScale * bufferScale;

  for (let i: usize = 0; count > 0; count--, i += 4) {
    const p = load<f32>(param + i);
    const g = load<f32>(grad + i);
    let q = load<f32>(squareAvg + i);
    if (variant & CORRECTED) q /= correction;
    if (variant & CENTERED) {
      let a = load<f32>(gradAvg + i);
      if (variant & CORRECTED) a /= correction;
      q -= a * a;
      if (q < 0) q = 0;
    }
    const d = sqrt(q + epsInside) + eps;
    // An lr of -0 gives -0, whose bits are larger than all others.
    const rate = abs(lr / d);

    let u = g * gradScale;
    if (u < -clipValue) u = -clipValue;
    if (u > clipValue) u = clipValue;
    if (variant & DECAYED) u += weightDecay * p;
    u = (updateScale * u) / d;
    if (variant & MOMENTUM) {
      let m = load<f32>(momentumBuffer + i);
      if (variant & NESTEROV) m = u + momentum * m;
      u = bufferScale * m;
    }

    if (g === 0) zeros++;
    // Double has room for the sum of four float32.
    if (<f64>abs(g) + <f64>abs(p) + <f64>abs(u) + <f64>rate < Infinity) {
      gradSquares += <f64>g * <f64>g;
      updateSquares += <f64>u * <f64>u;
      paramSquares += <f64>p * <f64>p;
      if (rate < smallest) smallest = rate;
      if (rate > largest) largest = rate;
      const bits = reinterpret<u32>(rate);
      if ((bits ^ prefix) >>> (shift + BIN_BITS) === 0) {
        const bin: usize = scratch + (((bits >>> shift) & (BINS - 1)) << 2);
        store<u32>(bin, load<u32>(bin) + 1);
      }
    } else {
      leftOut++;
    }
  }

  store<f64>(scratch, gradSquares, 8192);
  store<f64>(scratch, updateSquares, 8200);
  store<f64>(scratch, paramSquares, 8208);
  store<f64>(scratch, smallest, 8216);
  store<f64>(scratch, largest, 8224);
  store<f64>(scratch, zeros, 8232);
  store<f64>(scratch, leftOut, 8240);
}
