/**
 * The sum of the squares of a gradient, for its norm.
 *
 * Sums are double and run in a fixed order, so their bits depend on nothing but the values: in each block of 4,096
 * elements, element i goes to partial sum i mod 8, what is left over after the last eight follows one by one, and the
 * blocks are added up from first to last.
 *
 * A double has room for the squares of more float32 numbers than a memory holds, so that such a sum is finite just when
 * every element is. The squares of float64 may overflow or vanish: each element is multiplied by `scale` first, a power of
 * two and mostly 1. Float32 leaves that out, which would cost it a tenth.
 */

export const BLOCK: u32 = 4096;

export function sumOfSquares(grad: usize, count: u32, scale: f64): f64 {
  let sum: f64 = 0;
  while (count > 0) {
    const elements = min(count, BLOCK);
    sum += sumOfBlock(grad, elements, scale);
    grad += elements * sizeof<Real>();
    count -= elements;
  }
  return sum;
}

function sumOfBlock(grad: usize, count: u32, scale: f64): f64 {
  const scales = f64x2.splat(scale);
  let sum01 = f64x2.splat(0);
  let sum23 = f64x2.splat(0);
  let sum45 = f64x2.splat(0);
  let sum67 = f64x2.splat(0);
  if (count >= 8) {
    do {
      const g01 = doubles(sizeof<Real>() === 8 ? v128.load(grad) : v128.load64_zero(grad), scales);
      const g23 = doubles(sizeof<Real>() === 8 ? v128.load(grad, 16) : v128.load64_zero(grad, 8), scales);
      const g45 = doubles(sizeof<Real>() === 8 ? v128.load(grad, 32) : v128.load64_zero(grad, 16), scales);
      const g67 = doubles(sizeof<Real>() === 8 ? v128.load(grad, 48) : v128.load64_zero(grad, 24), scales);
      sum01 = f64x2.add(sum01, f64x2.mul(g01, g01));
      sum23 = f64x2.add(sum23, f64x2.mul(g23, g23));
      sum45 = f64x2.add(sum45, f64x2.mul(g45, g45));
      sum67 = f64x2.add(sum67, f64x2.mul(g67, g67));
      grad += 8 * sizeof<Real>();
      count -= 8;
    } while (count >= 8);
  }
  const sums = f64x2.add(f64x2.add(sum01, sum23), f64x2.add(sum45, sum67));
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; count > 0; count--) {
    let g = <f64>load<Real>(grad);
    if (sizeof<Real>() === 8) g *= scale;
    sum += g * g;
    grad += sizeof<Real>();
  }
  return sum;
}

/** Two elements as double, of a load whose first lanes hold them. */
function doubles(two: v128, scales: v128): v128 {
  return sizeof<Real>() === 8 ? f64x2.mul(two, scales) : f64x2.promote_low_f32x4(two);
}
