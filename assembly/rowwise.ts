/**
 * Rows with one mean square each:
 *
 *     v = v + w·(mean(g²) − v)                   the mean in double, over gradScale·grad, rounded once
 *     q = v / correction                         corrected
 *     d = sqrt(q + epsInside) + eps              once per row
 *     u = (updateScale·(gradScale·g)) / d        and on for each element as in `rmsprop.ts`: momentum, nesterov, decoupled
 *
 * With an alpha of ½ and below, or of 1, v = alpha·v + w·mean(g²), where the loop of `rmsprop.ts` has alpha·v + (w·g)·g. With
 * any other alpha a row of one element gets that loop's bits, unless the gradient is scaled. Options by which g isn't
 * gradScale times the gradient in memory (clipValue, coupled decay), and centered, are refused before.
 *
 * Squares are added up as for a norm. Rejected: float32 sums in the loop that updates, as FBGEMM has them. They would save a
 * pass over values that are in the cache, and put v some ulps farther from float64.
 */
import { average, flushPlane } from "./behind";
import { sumOfSquares } from "./gradient";
// biome-ignore lint/style/useImportType: AssemblyScript has no type imports
import { load, One, store } from "./lanes";
import { AVERAGED, CORRECTED, DECOUPLED, FLUSHED, MOMENTUM, NESTEROV, ZEROED } from "./rmsprop";

/** Updates a row of `count` elements, whose mean square is at `squareAvg`. */
export function updateRow(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  ema: usize,
  count: u32,
  alpha: Real,
  oneMinusAlpha: Real,
  epsInside: Real,
  eps: Real,
  updateScale: Real,
  momentum: Real,
  bufferScale: Real,
  gradScale: Real,
  decoupledDecay: Real,
  correction: Real,
  emaWeight: Real,
): void {
  const scale = <f64>gradScale;
  const square = <Real>((sumOfSquares(grad, count, 1) * (scale * scale)) / <f64>count);
  let v = v128.extract_lane<Real>(load<One>(squareAvg), 0);
  v =
    oneMinusAlpha > 0 && oneMinusAlpha < 0.5
      ? v + oneMinusAlpha * (square - v)
      : alpha * v + oneMinusAlpha * square;
  // The bound of the loop in `rmsprop.ts`, which leaves NaN alone.
  if (v > Real.MAX_VALUE) v = Real.MAX_VALUE;
  store<One>(squareAvg, v128.splat<Real>(v), v128.splat<Real>(v));
  const q = variant & CORRECTED ? v / correction : v;
  const d = sqrt<Real>(q + epsInside) + eps;
  moveRow(
    variant,
    param,
    grad,
    momentumBuffer,
    count,
    d,
    updateScale,
    momentum,
    bufferScale,
    gradScale,
    decoupledDecay,
  );
  if (variant & AVERAGED) average(ema, param, count, emaWeight);
  if (variant & FLUSHED) {
    flushPlane(param, count);
    flushPlane(squareAvg, 1);
    if (variant & MOMENTUM) flushPlane(momentumBuffer, count);
    if (variant & AVERAGED) flushPlane(ema, count);
  }
  if (variant & ZEROED) memory.fill(grad, 0, count * sizeof<Real>());
}

/** The update of elements with one denominator, a vector or one element at a time. */
function moveRow(
  variant: u32,
  param: usize,
  grad: usize,
  momentumBuffer: usize,
  count: u32,
  d: Real,
  updateScale: Real,
  momentum: Real,
  bufferScale: Real,
  gradScale: Real,
  decoupledDecay: Real,
): void {
  const lanes: u32 = 16 / sizeof<Real>();
  while (count > 0) {
    const isWhole = count >= lanes;
    const p = read(param, isWhole);
    const g = v128.mul<Real>(read(grad, isWhole), v128.splat<Real>(gradScale));
    let u = v128.div<Real>(v128.mul<Real>(v128.splat<Real>(updateScale), g), v128.splat<Real>(d));
    if (variant & MOMENTUM) {
      const m = plus(u, momentum, read(momentumBuffer, isWhole));
      write(momentumBuffer, m, isWhole);
      u = variant & NESTEROV ? plus(u, momentum, m) : m;
      u = v128.mul<Real>(v128.splat<Real>(bufferScale), u);
    }
    if (variant & DECOUPLED) u = plus(u, decoupledDecay, p);
    write(param, v128.sub<Real>(p, u), isWhole);
    const elements: u32 = isWhole ? lanes : 1;
    const bytes: usize = elements * sizeof<Real>();
    param += bytes;
    grad += bytes;
    momentumBuffer += bytes;
    count -= elements;
  }
}

function read(ptr: usize, isWhole: bool): v128 {
  return isWhole ? v128.load(ptr) : load<One>(ptr);
}

function write(ptr: usize, values: v128, isWhole: bool): void {
  if (isWhole) v128.store(ptr, values);
  else store<One>(ptr, values, values);
}

/** x + factor·y */
function plus(x: v128, factor: Real, y: v128): v128 {
  return v128.add<Real>(x, v128.mul<Real>(v128.splat<Real>(factor), y));
}
