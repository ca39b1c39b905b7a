/** The plain step of the package's `assembly/rmsprop.ts` without SIMD: what WebAssembly alone is worth. */
const SMALLEST_NORMAL: f32 = 1.1754943508222875e-38;
const LARGEST_FINITE: f32 = 3.4028234663852886e38;

export function update(
  param: usize,
  grad: usize,
  squareAvg: usize,
  count: u32,
  lr: f32,
  alpha: f32,
  oneMinusAlpha: f32,
  eps: f32,
): void {
  for (let end = param + (count << 2); param < end; param += 4, grad += 4, squareAvg += 4) {
    const g = load<f32>(grad);
    let v = alpha * load<f32>(squareAvg) + oneMinusAlpha * g * g;
    if (v < SMALLEST_NORMAL) v = 0;
    if (v > LARGEST_FINITE) v = LARGEST_FINITE;
    store<f32>(squareAvg, v);
    store<f32>(param, load<f32>(param) - (lr * g) / (sqrt(v) + eps));
  }
}
