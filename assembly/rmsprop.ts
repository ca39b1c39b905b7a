/**
 * The update loop: the mathematics of RMSprop, once, over lanes of float32 or float64.
 *
 *     g = grad · gradScale                       shaped, decayed (maximize is a negative scale)
 *     g = min(max(g, −clipValue), clipValue)     shaped
 *     g = g + weightDecay·p                      decayed: the coupled kind
 *     v = v + w·(g² − v)                         w is 1 − alpha; then the ceiling
 *     a = a + w·(g − a)                          centered
 *     q = v                                      centered: max(v − a², 0)
 *     q = q / correction                         corrected: 1 − alpha^t
 *     u = (updateScale·g) / (sqrt(q + epsInside) + eps)
 *     m = momentum·m + u                         momentum; nesterov goes on with u + momentum·m
 *     u = bufferScale·m                          momentum
 *     u = u + decoupledDecay·p                   decoupled: lr·weightDecay
 *     u = u − growth·moved                       learned: growth is s / ((s before) + 1e-8) − 1, s the rate
 *     moved = moved − u                          learned
 *     d = z − p                                  scheduleFree
 *     z = z − u                                  scheduleFree
 *     u = stepShare·u − zShare·d                 scheduleFree: zShare is c, stepShare is 1 − beta·(1 − c)
 *     p = p − u
 *     e = e + emaWeight·(p − e)                  averaged: emaWeight is 1 − decay
 *     p, v, m, a, e, z, moved = 0 where denormal flushed: every 64th step
 *
 * Each symbol is one IEEE operation of the element type in the order written, in the vector loop and in the tail alike, so a
 * result depends on the values alone: not on an element's place, the engine or the machine. A variant computes nothing
 * that it lacks, or computes it with a neutral number, which changes no bit: ×1, a clip at infinity, epsilon + 0.
 * `src/kernel/reference.ts` is the same text in plain JavaScript.
 *
 * The averages move by a share of the difference. As alpha·v + (w·g)·g they take as many operations, but alpha and w,
 * rounded apart, don't add up to 1, and v ends 2 to 20 times as far from float64. With w from ½ up it is the difference
 * that loses what v should keep of a small gradient, everything at an alpha of 0; with w = 0 it makes NaN of a square
 * that overflows. There alone, v = alpha·v + (w·g)·g and a = alpha·a + w·g, in the tail's loop, at four times the cost.
 *
 * Decoupled decay joins the update instead of shrinking the parameter by 1 − lr·weightDecay: that factor, rounded, is
 * off in the same direction at every step, which adds up to more than all other rounding.
 *
 * Correction comes behind centering. With both averages corrected before, as Optax has it, the variance of the first
 * gradient alone is 0, and that of two that are alike hardly more: on quadratics and small networks steps were 600 to 4,000
 * times `lr` when only the first went without centering, up to 1e9 times with it. This way q is at least alpha^t·v, no step
 * was above 6 times `lr`, and there is one division less.
 *
 * The average of the points z, x, isn't kept: it is y + (1 − 1/beta)·(z − y), where y is p. The distance d and the update
 * are small beside p, so both are added up before the one rounding at the size of p.
 *
 * A learned rate s scales the whole way from where the run began. So when s changes, the parameter moves along `moved`, which
 * is that way, and along the new update, by the sum of both and with one rounding at the size of p.
 * Rejected: a plane of where the run began, x0, as Optax has it. `moved`, as p − x0, is of p's last few bits while s is a
 * millionth, and its inner product with the gradient reads a third plane: the step took 2.3 times as long as a plain one. The
 * sum of the updates at a rate of 1, which s would scale: three operations more for each element, 0.1 ns. Computing p as
 * x0 + s·(that sum), rounded once in a run: two planes, and it takes no notice of parameters that a caller writes.
 *
 * Rejected, each with its price per element. The plain loop takes 0.6 ns on a Zen 4 core and 0.43 ns on a Sapphire
 * Rapids core, nearly all of it the divider: one root and one division for each vector.
 * - A test at the top of the loop: 0.2 to 0.5 ns more. V8 moves constants out of a loop only when its body is sure
 *   to run, and makes them anew for each element otherwise.
 * - Everything in one loop with neutral numbers: 0.2 ns more for shaping and 0.1 ns for decay, when not used.
 * - Loops of their own for shaped and decayed with momentum or centered too: 0.02 to 0.05 ns less, and half as much
 *   code again.
 * - One general loop that asks for `scheduleFree` and `learned` too: 0.15 to 0.2 ns more for all who use neither.
 * - Selecting by masks where the general loop branches: 1.4 ns instead of 0.64 with nesterov.
 * - A floor for v and a in the loop, so that they are never denormal: 15 % more for v and 30 % for both on Sapphire
 *   Rapids, 10 % on Zen 4 where it works on eight lanes. At every 64th step all planes have one at no cost that can be
 *   measured; until then, an element whose gradient stays 0 is denormal for at most 63 steps.
 * - A ceiling for v as it is read too, which would heal an infinity that somebody else has left there: 15 %.
 * - The average of the weights inside the loop: no faster than a loop of its own over what is still in cache.
 * - `f32x4.min` and `max`: 2.4 times the whole loop; `pmin` and `pmax` are one instruction.
 */
import { elementsOf, load, loadNext, splat0, splat1, splat2, splat3, store } from "./lanes";

/**
 * Switches of a variant. `Off` at compile time leaves no instruction behind; `Asked` looks at `variant` at each turn,
 * in the general loop and in the tail, whose few elements don't pay for code of their own. An engine joins vectors
 * across such a branch only when both lie on the same side of it. So each load stands next to its use, and where an
 * operand may come out of a branch it stands on the left, to be computed before the load.
 */
export type On = i32;
export type Asked = f32;
// biome-ignore lint/suspicious/noConfusingVoidType: a type argument that is neither of the two above
export type Off = void;

export const MOMENTUM: u32 = 1;
export const CENTERED: u32 = 2;
export const SHAPED: u32 = 4;
export const DECAYED: u32 = 8;
export const NESTEROV: u32 = 16;
export const CORRECTED: u32 = 32;
export const AVERAGED: u32 = 64 & PARTS;
export const ZEROED: u32 = 128 & PARTS;
export const DECOUPLED: u32 = 256;
export const FLUSHED: u32 = 512;
export const SCHEDULE_FREE: u32 = 1024;
export const LEARNED: u32 = 2048 & PARTS;
/** One mean square for each row: `rowwise.ts`. */
export const ROWWISE: u32 = 4096;
/** Averages as alpha·v + (w·g)·g; `update` finds out. */
export const MIXED: u32 = 8192;
/** The halves of the planes side by side; `update` finds out. */
export const HALVES: u32 = 16384;

function uses<Switch>(variant: u32, bit: u32): bool {
  if (isVoid<Switch>()) return false;
  return isInteger<Switch>() || (variant & bit) !== 0;
}

/** The order of operands keeps NaN, here and below. */
export function clip(g: v128, lowest: v128, highest: v128): v128 {
  return v128.pmin<Real>(v128.pmax<Real>(g, lowest), highest);
}

/** Moves an average by a share of its distance from a value. */
function towards(average: v128, value: v128, weights: v128): v128 {
  return v128.add<Real>(v128.mul<Real>(weights, v128.sub<Real>(value, average)), average);
}

/** An infinity would never decay again. */
function bound(v: v128): v128 {
  return v128.pmin<Real>(v, v128.splat<Real>(Real.MAX_VALUE));
}

/** Cancellation can leave the variance a little below zero, and its root would be NaN. */
function variance(v: v128, a: v128): v128 {
  return v128.pmax<Real>(v128.sub<Real>(v, v128.mul<Real>(a, a)), v128.splat<Real>(0));
}

function quotient(g: v128, q: v128, updateScales: v128, epsInsides: v128, epsilons: v128): v128 {
  const d = v128.add<Real>(v128.sqrt<Real>(v128.add<Real>(q, epsInsides)), epsilons);
  return v128.div<Real>(v128.mul<Real>(updateScales, g), d);
}

/** Updates the elements that fill whole turns. */
export function updateAs<Lanes, Momentum, Centered, Shaped, Decayed, Others, ScheduleFree, Learned>(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  z: usize,
  moved: usize,
  count: u32,
  rates: v128,
  moreRates: v128,
  scales: v128,
  moreScales: v128,
  bounds: v128,
  moreBounds: v128,
  shares: v128,
  moreShares: v128,
  apart: usize,
): void {
  const elements = elementsOf<Lanes>();
  const bytes: usize = elements * sizeof<Real>();
  const alphas = splat0(rates, moreRates);
  const weights = splat1(rates, moreRates);
  const momentums = splat2(rates, moreRates);
  const weightDecays = splat3(rates, moreRates);
  const updateScales = splat0(scales, moreScales);
  const bufferScales = splat1(scales, moreScales);
  const gradScales = splat2(scales, moreScales);
  const decoupledDecays = splat3(scales, moreScales);
  const epsInsides = splat0(bounds, moreBounds);
  const epsilons = splat1(bounds, moreBounds);
  const highest = splat2(bounds, moreBounds);
  const lowest = v128.neg<Real>(highest);
  const corrections = splat3(bounds, moreBounds);
  const zShares = splat0(shares, moreShares);
  const stepShares = splat1(shares, moreShares);
  const growths = splat2(shares, moreShares);

  // Counting down, not comparing with an end address, lets a plane reach the last byte of a 4 GiB memory.
  do {
    const p0 = load<Lanes>(param);
    const p1 = loadNext<Lanes>(param, apart);
    let g0 = load<Lanes>(grad);
    let g1 = loadNext<Lanes>(grad, apart);
    if (!isVoid<Shaped>() || !isVoid<Decayed>()) {
      g0 = v128.mul<Real>(g0, gradScales);
      g1 = v128.mul<Real>(g1, gradScales);
    }
    if (uses<Shaped>(variant, SHAPED)) {
      g0 = clip(g0, lowest, highest);
      g1 = clip(g1, lowest, highest);
    }
    if (uses<Decayed>(variant, DECAYED)) {
      g0 = v128.add<Real>(g0, v128.mul<Real>(weightDecays, p0));
      g1 = v128.add<Real>(g1, v128.mul<Real>(weightDecays, p1));
    }

    let v0 = load<Lanes>(squareAvg);
    let v1 = loadNext<Lanes>(squareAvg, apart);
    if (isFloat<Lanes>() && variant & MIXED) {
      v0 = v128.add<Real>(v128.mul<Real>(alphas, v0), v128.mul<Real>(v128.mul<Real>(weights, g0), g0));
    } else {
      v0 = towards(v0, v128.mul<Real>(g0, g0), weights);
      v1 = towards(v1, v128.mul<Real>(g1, g1), weights);
    }
    v0 = bound(v0);
    v1 = bound(v1);
    let q0 = v0;
    let q1 = v1;
    let a0 = p0;
    let a1 = p1;
    if (uses<Centered>(variant, CENTERED)) {
      a0 = load<Lanes>(gradAvg);
      a1 = loadNext<Lanes>(gradAvg);
      if (isFloat<Lanes>() && variant & MIXED) {
        a0 = v128.add<Real>(v128.mul<Real>(alphas, a0), v128.mul<Real>(weights, g0));
      } else {
        a0 = towards(a0, g0, weights);
        a1 = towards(a1, g1, weights);
      }
      q0 = variance(q0, a0);
      q1 = variance(q1, a1);
    }
    if (uses<Others>(variant, CORRECTED)) {
      q0 = v128.div<Real>(q0, corrections);
      q1 = v128.div<Real>(q1, corrections);
    }

    let u0 = quotient(g0, q0, updateScales, epsInsides, epsilons);
    let u1 = quotient(g1, q1, updateScales, epsInsides, epsilons);
    let m0 = u0;
    let m1 = u1;
    if (uses<Momentum>(variant, MOMENTUM)) {
      m0 = v128.add<Real>(u0, v128.mul<Real>(momentums, load<Lanes>(momentumBuffer)));
      m1 = v128.add<Real>(u1, v128.mul<Real>(momentums, loadNext<Lanes>(momentumBuffer)));
      if (uses<Others>(variant, NESTEROV)) {
        u0 = v128.add<Real>(u0, v128.mul<Real>(momentums, m0));
        u1 = v128.add<Real>(u1, v128.mul<Real>(momentums, m1));
      } else {
        u0 = m0;
        u1 = m1;
      }
      u0 = v128.mul<Real>(bufferScales, u0);
      u1 = v128.mul<Real>(bufferScales, u1);
    }
    if (uses<Others>(variant, DECOUPLED)) {
      u0 = v128.add<Real>(u0, v128.mul<Real>(decoupledDecays, p0));
      u1 = v128.add<Real>(u1, v128.mul<Real>(decoupledDecays, p1));
    }
    let moved0 = p0;
    let moved1 = p1;
    if (uses<Learned>(variant, LEARNED)) {
      moved0 = load<Lanes>(moved);
      moved1 = loadNext<Lanes>(moved);
      u0 = v128.sub<Real>(u0, v128.mul<Real>(growths, moved0));
      u1 = v128.sub<Real>(u1, v128.mul<Real>(growths, moved1));
      moved0 = v128.sub<Real>(moved0, u0);
      moved1 = v128.sub<Real>(moved1, u1);
    }
    let z0 = p0;
    let z1 = p1;
    if (uses<ScheduleFree>(variant, SCHEDULE_FREE)) {
      z0 = load<Lanes>(z);
      z1 = loadNext<Lanes>(z);
      const d0 = v128.sub<Real>(z0, p0);
      const d1 = v128.sub<Real>(z1, p1);
      z0 = v128.sub<Real>(z0, u0);
      z1 = v128.sub<Real>(z1, u1);
      u0 = v128.sub<Real>(v128.mul<Real>(stepShares, u0), v128.mul<Real>(zShares, d0));
      u1 = v128.sub<Real>(v128.mul<Real>(stepShares, u1), v128.mul<Real>(zShares, d1));
    }

    store<Lanes>(param, v128.sub<Real>(p0, u0), v128.sub<Real>(p1, u1), apart);
    store<Lanes>(squareAvg, v0, v1, apart);
    if (uses<Centered>(variant, CENTERED)) store<Lanes>(gradAvg, a0, a1);
    if (uses<Momentum>(variant, MOMENTUM)) store<Lanes>(momentumBuffer, m0, m1);
    if (uses<ScheduleFree>(variant, SCHEDULE_FREE)) store<Lanes>(z, z0, z1);
    if (uses<Learned>(variant, LEARNED)) store<Lanes>(moved, moved0, moved1);

    param += bytes;
    grad += bytes;
    squareAvg += bytes;
    if (uses<Momentum>(variant, MOMENTUM)) momentumBuffer += bytes;
    if (uses<Centered>(variant, CENTERED)) gradAvg += bytes;
    if (uses<ScheduleFree>(variant, SCHEDULE_FREE)) z += bytes;
    if (uses<Learned>(variant, LEARNED)) moved += bytes;
    count -= elements;
  } while (count >= elements);
}
