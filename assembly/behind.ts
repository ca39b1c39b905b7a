/** The work behind an update, on planes that are still in the cache: the average of the weights, and denormals. */
// biome-ignore lint/style/useImportType: AssemblyScript has no type imports
import { elementsOf, load, loadNext, One, PAIR, Pair, store } from "./lanes";

/**
 * The running average of the weights, e + weight·(p − e). As decay·e + (1 − decay)·p, the two factors, rounded, wouldn't
 * add up to 1, and the average would drift to four times the error.
 */
export function average(ema: usize, param: usize, count: u32, weight: Real): void {
  averageAs<Pair>(ema, param, count, weight);
  const done: usize = (count & ~(PAIR - 1)) * sizeof<Real>();
  averageAs<One>(ema + done, param + done, count & (PAIR - 1), weight);
}

function averageAs<Lanes>(ema: usize, param: usize, count: u32, weight: Real): void {
  const elements = elementsOf<Lanes>();
  if (count < elements) return;
  const weights = v128.splat<Real>(weight);
  do {
    const e0 = load<Lanes>(ema);
    const e1 = loadNext<Lanes>(ema);
    const d0 = v128.sub<Real>(load<Lanes>(param), e0);
    const d1 = v128.sub<Real>(loadNext<Lanes>(param), e1);
    store<Lanes>(
      ema,
      v128.add<Real>(v128.mul<Real>(weights, d0), e0),
      v128.add<Real>(v128.mul<Real>(weights, d1), e1),
    );
    ema += elements * sizeof<Real>();
    param += elements * sizeof<Real>();
    count -= elements;
  } while (count >= elements);
}

/**
 * A decaying number below the smallest normal one becomes 0. Left alone it would reach a denormal that its decay rounds
 * back to, and stay there permanently, at up to 40 times the cost of an ordinary value.
 */
export function flushPlane(plane: usize, count: u32): void {
  flush<Pair>(plane, count);
  flush<One>(plane + (count & ~(PAIR - 1)) * sizeof<Real>(), count & (PAIR - 1));
}

function flush<Lanes>(plane: usize, count: u32): void {
  const elements = elementsOf<Lanes>();
  if (count < elements) return;
  do {
    const x0 = load<Lanes>(plane);
    const x1 = loadNext<Lanes>(plane);
    store<Lanes>(plane, normal(x0), normal(x1));
    plane += elements * sizeof<Real>();
    count -= elements;
  } while (count >= elements);
}

export function normal(x: v128): v128 {
  return v128.andnot(x, v128.lt<Real>(v128.abs<Real>(x), v128.splat<Real>(Real.MIN_NORMAL_VALUE)));
}
