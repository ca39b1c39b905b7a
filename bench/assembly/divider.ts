/** The roots and divisions of a plain step over float64, on numbers that stay in registers: the roof that the divider sets. */
export function update(_param: usize, _grad: usize, _squareAvg: usize, count: u32): f64 {
  const step = f64x2.splat(1e-9);
  const grad = f64x2.splat(0.3);
  let v0 = f64x2.splat(0.5);
  let v1 = f64x2.splat(0.75);
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  for (let i: u32 = 0; i < count; i += 4) {
    v0 = f64x2.add(v0, step);
    v1 = f64x2.add(v1, step);
    sum0 = f64x2.add(sum0, f64x2.div(grad, f64x2.sqrt(v0)));
    sum1 = f64x2.add(sum1, f64x2.div(grad, f64x2.sqrt(v1)));
  }
  return f64x2.extract_lane(f64x2.add(sum0, sum1), 0);
}
