/**
 * The sum of the squares of a gradient, for its norm. It is finite just when every element is: a double has room for
 * the squares of more float32 numbers than a memory holds.
 *
 * Sums are double and run in a fixed order, so their bits depend on nothing but the values: in each block of 4,096
 * elements, element i goes to partial sum i mod 8, what is left over after the last eight follows one by one, and the
 * blocks are added up from first to last.
 */

const BLOCK: u32 = 4096;

export function sumOfSquares(grad: usize, count: u32): f64 {
  let sum: f64 = 0;
  while (count > 0) {
    const elements = min(count, BLOCK);
    sum += sumOfBlock(grad, elements);
    grad += elements << 2;
    count -= elements;
  }
  return sum;
}

function sumOfBlock(grad: usize, count: u32): f64 {
  let sum01 = f64x2.splat(0);
  let sum23 = f64x2.splat(0);
  let sum45 = f64x2.splat(0);
  let sum67 = f64x2.splat(0);
  if (count >= 8) {
    do {
      const g01 = f64x2.promote_low_f32x4(v128.load64_zero(grad));
      const g23 = f64x2.promote_low_f32x4(v128.load64_zero(grad, 8));
      const g45 = f64x2.promote_low_f32x4(v128.load64_zero(grad, 16));
      const g67 = f64x2.promote_low_f32x4(v128.load64_zero(grad, 24));
      sum01 = f64x2.add(sum01, f64x2.mul(g01, g01));
      sum23 = f64x2.add(sum23, f64x2.mul(g23, g23));
      sum45 = f64x2.add(sum45, f64x2.mul(g45, g45));
      sum67 = f64x2.add(sum67, f64x2.mul(g67, g67));
      grad += 32;
      count -= 8;
    } while (count >= 8);
  }
  const sums = f64x2.add(f64x2.add(sum01, sum23), f64x2.add(sum45, sum67));
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; count > 0; count--) {
    const g = <f64>load<f32>(grad);
    sum += g * g;
    grad += 4;
  }
  return sum;
}
