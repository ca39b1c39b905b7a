/**
 * Rows with one mean square each:
 *
 *     v = v + w·(mean(g²) − v)                   the mean in double, over gradScale·grad, rounded once
 *     q = v / correction                         corrected
 *     d = sqrt(q + epsInside) + eps              once per row
 *     u = (updateScale·(gradScale·g)) / d        and on for each element as in `rmsprop.ts`: momentum, nesterov, decoupled
 *
 * Where the loop of `rmsprop.ts` takes alpha·v + (w·g)·g instead, this takes alpha·v + w·mean(g²). Elsewhere rows of one
 * element get that loop's bits, unless the gradient is scaled. Options whose g differs by element from the gradient in memory
 * (clipValue, coupled decay), and centered, don't come here.
 *
 * Squares are added up as for a norm. Rejected: float32 sums in the loop that updates, as FBGEMM has them, which would
 * save a pass over what is in the cache, and put v some ulps further from float64.
 */
import { sumOfSquares } from "./gradient";
// biome-ignore lint/style/useImportType: AssemblyScript has no type imports
import { elementsOf, load as loadLanes, loadNext, One, PAIR, Pair, store as storeLanes } from "./lanes";
import { move } from "./learned";
import { AVERAGED, CORRECTED, DECOUPLED, FLUSHED, flushPlane, MOMENTUM, NESTEROV, ZEROED } from "./rmsprop";

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
  let v = load<Real>(squareAvg);
  v =
    oneMinusAlpha > 0 && oneMinusAlpha < 0.5
      ? v + oneMinusAlpha * (square - v)
      : alpha * v + oneMinusAlpha * square;
  // As the loop bounds it, which leaves NaN alone.
  if (v > Real.MAX_VALUE) v = Real.MAX_VALUE;
  store<Real>(squareAvg, v);
  const q = variant & CORRECTED ? v / correction : v;
  const d = sqrt<Real>(q + epsInside) + eps;
  const whole: u32 = count & ~(PAIR - 1);
  const done: usize = whole * sizeof<Real>();
  // biome-ignore format: a list
  moveRow<Pair>(variant, param, grad, momentumBuffer, whole, d, updateScale, momentum, bufferScale, gradScale, decoupledDecay);
  // biome-ignore format: a list
  moveRow<One>(
    variant, param + done, grad + done, momentumBuffer + done, count - whole, d, updateScale, momentum, bufferScale,
    gradScale, decoupledDecay,
  );
  if (variant & AVERAGED) move(ema, ema, param, count, emaWeight);
  if (variant & FLUSHED) {
    flushPlane(param, count);
    flushPlane(squareAvg, 1);
    if (variant & MOMENTUM) flushPlane(momentumBuffer, count);
    if (variant & AVERAGED) flushPlane(ema, count);
  }
  if (variant & ZEROED) memory.fill(grad, 0, count * sizeof<Real>());
}

/** The update of elements with one denominator. */
function moveRow<Lanes>(
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
  const elements = elementsOf<Lanes>();
  const bytes: usize = elements * sizeof<Real>();
  for (; count >= elements; count -= elements) {
    const p0 = loadLanes<Lanes>(param);
    const p1 = loadNext<Lanes>(param);
    let u0 = quotient(loadLanes<Lanes>(grad), gradScale, updateScale, d);
    let u1 = quotient(loadNext<Lanes>(grad), gradScale, updateScale, d);
    if (variant & MOMENTUM) {
      const m0 = plus(u0, momentum, loadLanes<Lanes>(momentumBuffer));
      const m1 = plus(u1, momentum, loadNext<Lanes>(momentumBuffer));
      storeLanes<Lanes>(momentumBuffer, m0, m1);
      u0 = v128.mul<Real>(v128.splat<Real>(bufferScale), variant & NESTEROV ? plus(u0, momentum, m0) : m0);
      u1 = v128.mul<Real>(v128.splat<Real>(bufferScale), variant & NESTEROV ? plus(u1, momentum, m1) : m1);
    }
    if (variant & DECOUPLED) {
      u0 = plus(u0, decoupledDecay, p0);
      u1 = plus(u1, decoupledDecay, p1);
    }
    storeLanes<Lanes>(param, v128.sub<Real>(p0, u0), v128.sub<Real>(p1, u1));
    param += bytes;
    grad += bytes;
    momentumBuffer += bytes;
  }
}

function quotient(g: v128, gradScale: Real, updateScale: Real, d: Real): v128 {
  const scaled = v128.mul<Real>(g, v128.splat<Real>(gradScale));
  return v128.div<Real>(v128.mul<Real>(v128.splat<Real>(updateScale), scaled), v128.splat<Real>(d));
}

/** x + factor·y */
function plus(x: v128, factor: Real, y: v128): v128 {
  return v128.add<Real>(x, v128.mul<Real>(v128.splat<Real>(factor), y));
}
