/**
 * The two passes that a learned rate takes beside the update: how much of the way from where the run began the gradient
 * takes back, and the way shortened by a share.
 *
 * Products and their first sums are of the element type, in the lanes of a pair, for at most eight turns of the loop. What
 * they come to is added up in double: lane by lane in the blocks of `gradient.ts`, whose sums are added up from first to
 * last. Each product in double, as the norm takes them, cost half of the update's time again.
 */
import { BLOCK } from "./gradient";
// biome-ignore lint/style/useImportType: AssemblyScript has no type imports
import { elementsOf, load, loadNext, One, PAIR, Pair, store } from "./lanes";
import { clip } from "./rmsprop";

const TURNS: u32 = 8;

/** The product of a gradient's element, shaped as the update shapes it, and the way back to the origin. */
function product(g: v128, x: v128, x0: v128, scales: v128, highest: v128): v128 {
  return v128.mul<Real>(
    clip(v128.mul<Real>(g, scales), v128.neg<Real>(highest), highest),
    v128.sub<Real>(x0, x),
  );
}

/** The inner product of a gradient and the way from a point to the origin. */
export function innerProduct(
  grad: usize,
  point: usize,
  origin: usize,
  count: u32,
  gradScale: Real,
  clipValue: Real,
): f64 {
  const scales = v128.splat<Real>(gradScale);
  const highest = v128.splat<Real>(clipValue);
  let sum: f64 = 0;
  while (count > 0) {
    let elements = min(count, BLOCK);
    count -= elements;
    let sums = f64x2.splat(0);
    while (elements >= PAIR) {
      let turns = min(elements / PAIR, TURNS);
      elements -= turns * PAIR;
      let a0 = v128.splat<Real>(0);
      let a1 = v128.splat<Real>(0);
      do {
        a0 = v128.add<Real>(
          a0,
          product(load<Pair>(grad), load<Pair>(point), load<Pair>(origin), scales, highest),
        );
        a1 = v128.add<Real>(
          a1,
          product(loadNext<Pair>(grad), loadNext<Pair>(point), loadNext<Pair>(origin), scales, highest),
        );
        grad += 32;
        point += 32;
        origin += 32;
      } while (--turns > 0);
      sums = f64x2.add(sums, doubles(v128.add<Real>(a0, a1)));
    }
    let block = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
    for (; elements > 0; elements--) {
      const one = product(load<One>(grad), load<One>(point), load<One>(origin), scales, highest);
      block += <f64>v128.extract_lane<Real>(one, 0);
      grad += sizeof<Real>();
      point += sizeof<Real>();
      origin += sizeof<Real>();
    }
    sum += block;
  }
  return sum;
}

/** The lanes of a vector as two doubles: of four, the upper two are added to the lower. */
function doubles(a: v128): v128 {
  if (sizeof<Real>() === 8) return a;
  return f64x2.add(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(v128.shuffle<f64>(a, a, 1, 0)));
}

/**
 * target = target + weight·(to − from): also the running average of the weights. As decay·e + (1 − decay)·p, the two
 * factors, rounded, wouldn't add up to 1, and the average would drift to four times the error.
 */
export function move(target: usize, from: usize, to: usize, count: u32, weight: Real): void {
  moveAs<Pair>(target, from, to, count, weight);
  const done: usize = (count & ~(PAIR - 1)) * sizeof<Real>();
  moveAs<One>(target + done, from + done, to + done, count & (PAIR - 1), weight);
}

function moveAs<Lanes>(target: usize, from: usize, to: usize, count: u32, weight: Real): void {
  const elements = elementsOf<Lanes>();
  if (count < elements) return;
  const weights = v128.splat<Real>(weight);
  do {
    const t0 = load<Lanes>(target);
    const t1 = loadNext<Lanes>(target);
    const d0 = v128.sub<Real>(load<Lanes>(to), load<Lanes>(from));
    const d1 = v128.sub<Real>(loadNext<Lanes>(to), loadNext<Lanes>(from));
    store<Lanes>(
      target,
      v128.add<Real>(v128.mul<Real>(weights, d0), t0),
      v128.add<Real>(v128.mul<Real>(weights, d1), t1),
    );
    target += elements * sizeof<Real>();
    from += elements * sizeof<Real>();
    to += elements * sizeof<Real>();
    count -= elements;
  } while (count >= elements);
}
