/**
 * The update loop: the mathematics of RMSprop, once, over eight lanes.
 *
 *     g = grad · gradScale                       shaped, decayed (maximize is a negative scale)
 *     g = min(max(g, −clipValue), clipValue)     shaped
 *     g = g + weightDecay·p                      decayed: the coupled kind
 *     v = v + w·(g² − v)                         w is 1 − alpha; then the ceiling
 *     a = a + w·(g − a)                          centered
 *     v, a = v / correction, a / correction      corrected: 1 − alpha^t; for this step only
 *     q = v                                      centered: max(v − a², 0)
 *     u = (updateScale·g) / (sqrt(q + epsInside) + eps)
 *     m = momentum·m + u                         momentum; nesterov goes on with u + momentum·m
 *     u = bufferScale·m                          momentum
 *     u = u + decoupledDecay·p                   decoupled: lr·weightDecay
 *     u = u − x0Share·(x0 − p)                   learned: 1 − s / (s before); z in the place of p if there is one
 *     d = z − p                                  scheduleFree
 *     z = z − u                                  scheduleFree
 *     u = stepShare·u − zShare·d                 scheduleFree: zShare is c, stepShare is 1 − beta·(1 − c)
 *     p = p − u
 *     e = e + emaWeight·(p − e)                  averaged: emaWeight is 1 − decay
 *     p, v, m, a, e, z = 0 where denormal        flushed: every 64th step
 *
 * Each symbol is one IEEE float32 operation in the order written, in the vector loop and in the tail alike, so a
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
 * The average of the points z, x, isn't kept: it is y + (1 − 1/beta)·(z − y), where y is p. The distance d and the update
 * are small beside p, so both are added up before the one rounding at the size of p.
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
// biome-ignore lint/style/useImportType: AssemblyScript has no type imports
import { Eight, elementsOf, load, loadNext, One, store } from "./lanes";

/**
 * Switches of a variant. `Off` at compile time leaves no instruction behind; `Asked` looks at `variant` at each turn,
 * in the general loop and in the tail, for which seven elements don't pay for code of their own. An engine joins vectors
 * across such a branch only when both lie on the same side of it. So each load stands next to its use, and where an
 * operand may come out of a branch it stands on the left, to be computed before the load.
 */
type On = i32;
type Asked = f32;
// biome-ignore lint/suspicious/noConfusingVoidType: a type argument that is neither of the two above
type Off = void;

export const MOMENTUM: u32 = 1;
export const CENTERED: u32 = 2;
const SHAPED: u32 = 4;
export const DECAYED: u32 = 8;
export const NESTEROV: u32 = 16;
export const CORRECTED: u32 = 32;
const AVERAGED: u32 = 64;
const ZEROED: u32 = 128;
const DECOUPLED: u32 = 256;
const FLUSHED: u32 = 512;
const SCHEDULE_FREE: u32 = 1024;
const LEARNED: u32 = 2048;
/** Averages as alpha·v + (w·g)·g; `update` finds out. */
const MIXED: u32 = 4096;

function uses<Switch>(variant: u32, bit: u32): bool {
  if (isVoid<Switch>()) return false;
  return isInteger<Switch>() || (variant & bit) !== 0;
}

const SMALLEST_NORMAL: f32 = 1.1754943508222875e-38;
const LARGEST_FINITE: f32 = 3.4028234663852886e38;

/** The order of operands keeps NaN, here and below. */
function clip(g: v128, lowest: v128, highest: v128): v128 {
  return f32x4.pmin(f32x4.pmax(g, lowest), highest);
}

/** Moves an average by a share of its distance from a value. */
function towards(average: v128, value: v128, weights: v128): v128 {
  return f32x4.add(f32x4.mul(weights, f32x4.sub(value, average)), average);
}

/** An infinity would never decay again. */
function bound(v: v128): v128 {
  return f32x4.pmin(v, f32x4.splat(LARGEST_FINITE));
}

/** Cancellation can leave the variance a little below zero, and its root would be NaN. */
function variance(v: v128, a: v128): v128 {
  return f32x4.pmax(f32x4.sub(v, f32x4.mul(a, a)), f32x4.splat(0));
}

function quotient(g: v128, q: v128, updateScales: v128, epsInsides: v128, epsilons: v128): v128 {
  const d = f32x4.add(f32x4.sqrt(f32x4.add(q, epsInsides)), epsilons);
  return f32x4.div(f32x4.mul(updateScales, g), d);
}

/** Updates the elements that fill whole turns. */
function updateAs<Lanes, Momentum, Centered, Shaped, Decayed, Others, ScheduleFree, Learned>(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  z: usize,
  x0: usize,
  count: u32,
  rates: v128,
  scales: v128,
  bounds: v128,
  shares: v128,
): void {
  const elements = elementsOf<Lanes>();
  const bytes: usize = elements << 2;
  const alphas = f32x4.splat(f32x4.extract_lane(rates, 0));
  const weights = f32x4.splat(f32x4.extract_lane(rates, 1));
  const momentums = f32x4.splat(f32x4.extract_lane(rates, 2));
  const weightDecays = f32x4.splat(f32x4.extract_lane(rates, 3));
  const updateScales = f32x4.splat(f32x4.extract_lane(scales, 0));
  const bufferScales = f32x4.splat(f32x4.extract_lane(scales, 1));
  const gradScales = f32x4.splat(f32x4.extract_lane(scales, 2));
  const decoupledDecays = f32x4.splat(f32x4.extract_lane(scales, 3));
  const epsInsides = f32x4.splat(f32x4.extract_lane(bounds, 0));
  const epsilons = f32x4.splat(f32x4.extract_lane(bounds, 1));
  const highest = f32x4.splat(f32x4.extract_lane(bounds, 2));
  const lowest = f32x4.neg(highest);
  const corrections = f32x4.splat(f32x4.extract_lane(bounds, 3));
  const zShares = f32x4.splat(f32x4.extract_lane(shares, 0));
  const stepShares = f32x4.splat(f32x4.extract_lane(shares, 1));
  const x0Shares = f32x4.splat(f32x4.extract_lane(shares, 2));

  // Counting down, not comparing with an end address, lets a plane reach the last byte of a 4 GiB memory.
  do {
    const p0 = load<Lanes>(param);
    const p1 = loadNext<Lanes>(param);
    let g0 = load<Lanes>(grad);
    let g1 = loadNext<Lanes>(grad);
    if (!isVoid<Shaped>() || !isVoid<Decayed>()) {
      g0 = f32x4.mul(g0, gradScales);
      g1 = f32x4.mul(g1, gradScales);
    }
    if (uses<Shaped>(variant, SHAPED)) {
      g0 = clip(g0, lowest, highest);
      g1 = clip(g1, lowest, highest);
    }
    if (uses<Decayed>(variant, DECAYED)) {
      g0 = f32x4.add(g0, f32x4.mul(weightDecays, p0));
      g1 = f32x4.add(g1, f32x4.mul(weightDecays, p1));
    }

    let v0 = load<Lanes>(squareAvg);
    let v1 = loadNext<Lanes>(squareAvg);
    if (isFloat<Lanes>() && variant & MIXED) {
      v0 = f32x4.add(f32x4.mul(alphas, v0), f32x4.mul(f32x4.mul(weights, g0), g0));
    } else {
      v0 = towards(v0, f32x4.mul(g0, g0), weights);
      v1 = towards(v1, f32x4.mul(g1, g1), weights);
    }
    v0 = bound(v0);
    v1 = bound(v1);
    let q0 = v0;
    let q1 = v1;
    if (uses<Others>(variant, CORRECTED)) {
      q0 = f32x4.div(q0, corrections);
      q1 = f32x4.div(q1, corrections);
    }
    let a0 = p0;
    let a1 = p1;
    if (uses<Centered>(variant, CENTERED)) {
      a0 = load<Lanes>(gradAvg);
      a1 = loadNext<Lanes>(gradAvg);
      if (isFloat<Lanes>() && variant & MIXED) {
        a0 = f32x4.add(f32x4.mul(alphas, a0), f32x4.mul(weights, g0));
      } else {
        a0 = towards(a0, g0, weights);
        a1 = towards(a1, g1, weights);
      }
      let b0 = a0;
      let b1 = a1;
      if (uses<Others>(variant, CORRECTED)) {
        b0 = f32x4.div(b0, corrections);
        b1 = f32x4.div(b1, corrections);
      }
      q0 = variance(q0, b0);
      q1 = variance(q1, b1);
    }

    let u0 = quotient(g0, q0, updateScales, epsInsides, epsilons);
    let u1 = quotient(g1, q1, updateScales, epsInsides, epsilons);
    let m0 = u0;
    let m1 = u1;
    if (uses<Momentum>(variant, MOMENTUM)) {
      m0 = f32x4.add(u0, f32x4.mul(momentums, load<Lanes>(momentumBuffer)));
      m1 = f32x4.add(u1, f32x4.mul(momentums, loadNext<Lanes>(momentumBuffer)));
      if (uses<Others>(variant, NESTEROV)) {
        u0 = f32x4.add(u0, f32x4.mul(momentums, m0));
        u1 = f32x4.add(u1, f32x4.mul(momentums, m1));
      } else {
        u0 = m0;
        u1 = m1;
      }
      u0 = f32x4.mul(bufferScales, u0);
      u1 = f32x4.mul(bufferScales, u1);
    }
    if (uses<Others>(variant, DECOUPLED)) {
      u0 = f32x4.add(u0, f32x4.mul(decoupledDecays, p0));
      u1 = f32x4.add(u1, f32x4.mul(decoupledDecays, p1));
    }
    let z0 = p0;
    let z1 = p1;
    if (uses<ScheduleFree>(variant, SCHEDULE_FREE)) {
      z0 = load<Lanes>(z);
      z1 = loadNext<Lanes>(z);
    }
    if (uses<Learned>(variant, LEARNED)) {
      u0 = f32x4.sub(u0, f32x4.mul(x0Shares, f32x4.sub(load<Lanes>(x0), z0)));
      u1 = f32x4.sub(u1, f32x4.mul(x0Shares, f32x4.sub(loadNext<Lanes>(x0), z1)));
    }
    if (uses<ScheduleFree>(variant, SCHEDULE_FREE)) {
      const d0 = f32x4.sub(z0, p0);
      const d1 = f32x4.sub(z1, p1);
      z0 = f32x4.sub(z0, u0);
      z1 = f32x4.sub(z1, u1);
      u0 = f32x4.sub(f32x4.mul(stepShares, u0), f32x4.mul(zShares, d0));
      u1 = f32x4.sub(f32x4.mul(stepShares, u1), f32x4.mul(zShares, d1));
    }

    store<Lanes>(param, f32x4.sub(p0, u0), f32x4.sub(p1, u1));
    store<Lanes>(squareAvg, v0, v1);
    if (uses<Centered>(variant, CENTERED)) store<Lanes>(gradAvg, a0, a1);
    if (uses<Momentum>(variant, MOMENTUM)) store<Lanes>(momentumBuffer, m0, m1);
    if (uses<ScheduleFree>(variant, SCHEDULE_FREE)) store<Lanes>(z, z0, z1);

    param += bytes;
    grad += bytes;
    squareAvg += bytes;
    if (uses<Momentum>(variant, MOMENTUM)) momentumBuffer += bytes;
    if (uses<Centered>(variant, CENTERED)) gradAvg += bytes;
    if (uses<ScheduleFree>(variant, SCHEDULE_FREE)) z += bytes;
    if (uses<Learned>(variant, LEARNED)) x0 += bytes;
    count -= elements;
  } while (count >= elements);
}

/** Updates a piece by the loop made for the variant, or the general one, and by the tail's loop what is left of it. */
function updatePiece(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  z: usize,
  x0: usize,
  elements: u32,
  rates: v128,
  scales: v128,
  bounds: v128,
  shares: v128,
): void {
  const count: u32 = variant & MIXED ? 0 : elements & ~7;
  // biome-ignore format: a table
  if (count > 0) switch (variant & ~(AVERAGED | ZEROED | FLUSHED)) {
    case 0: updateAs<Eight, Off, Off, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    case MOMENTUM: updateAs<Eight, On, Off, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    case CENTERED: updateAs<Eight, Off, On, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    case CENTERED | MOMENTUM: updateAs<Eight, On, On, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    case SHAPED: updateAs<Eight, Off, Off, On, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    case DECAYED: updateAs<Eight, Off, Off, Off, On, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    case SCHEDULE_FREE: updateAs<Eight, Off, Off, Off, Off, Off, On, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    case LEARNED: updateAs<Eight, Off, Off, Off, Off, Off, Off, On>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares); break;
    default:
      if (variant & (SCHEDULE_FREE | LEARNED)) updateAs<Eight, Asked, Asked, Asked, Asked, Asked, Asked, Asked>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares);
      else updateAs<Eight, Asked, Asked, Asked, Asked, Asked, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, count, rates, scales, bounds, shares);
  }
  if (count === elements) return;
  const done: usize = count << 2;
  // biome-ignore format: as above
  updateAs<One, Asked, Asked, Asked, Asked, Asked, Asked, Asked>(
    variant, param + done, grad + done, squareAvg + done, momentumBuffer + done, gradAvg + done, z + done, x0 + done,
    elements - count, rates, scales, bounds, shares,
  );
}

/**
 * The running average of the weights. As decay·e + (1 − decay)·p, the two factors, rounded, wouldn't add up to 1, and
 * the average would drift to four times the error.
 */
function averageWeights<Lanes>(param: usize, ema: usize, count: u32, emaWeight: f32): void {
  const elements = elementsOf<Lanes>();
  if (count < elements) return;
  const weights = f32x4.splat(emaWeight);
  do {
    const p0 = load<Lanes>(param);
    const p1 = loadNext<Lanes>(param);
    const e0 = load<Lanes>(ema);
    const e1 = loadNext<Lanes>(ema);
    store<Lanes>(ema, towards(e0, p0, weights), towards(e1, p1, weights));
    param += elements << 2;
    ema += elements << 2;
    count -= elements;
  } while (count >= elements);
}

/**
 * A decaying number below the smallest normal one becomes 0. Left alone it would reach a denormal that its decay rounds
 * back to, and stay there permanently, at up to 40 times the cost of an ordinary value.
 */
function flushPlane(plane: usize, count: u32): void {
  flush<Eight>(plane, count);
  flush<One>(plane + ((count & ~7) << 2), count & 7);
}

function flush<Lanes>(plane: usize, count: u32): void {
  const elements = elementsOf<Lanes>();
  if (count < elements) return;
  do {
    const x0 = load<Lanes>(plane);
    const x1 = loadNext<Lanes>(plane);
    store<Lanes>(plane, normal(x0), normal(x1));
    plane += elements << 2;
    count -= elements;
  } while (count >= elements);
}

function normal(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(SMALLEST_NORMAL)));
}

/**
 * Elements that one loop does before the next loop takes them from the first cache level. With pieces eight times as
 * long, the average takes twice the time from 1 M elements up: nothing hides its wait for memory.
 */
const PIECE: u32 = 512;

function vector(a: f32, b: f32, c: f32, d: f32): v128 {
  const ab = f32x4.replace_lane(f32x4.splat(a), 1, b);
  return f32x4.replace_lane(f32x4.replace_lane(ab, 2, c), 3, d);
}

/**
 * Updates `count` elements of each plane in place. `variant` adds up the parts in use: 1 momentum, 2 centered, 4 shaped
 * (`gradScale`, `clipValue`), 8 decayed (`gradScale`, `weightDecay`), 16 nesterov, 32 corrected, 64 averaged (`ema`),
 * 128 the gradient cleared behind the update, 256 decoupled (`decoupledDecay`), 512 denormals flushed behind it,
 * 1024 scheduleFree (`z`, `zShare`, `stepShare`), 2048 learned (`x0`, `x0Share`).
 * Pointers are bytes, 4-byte aligned, of planes that do not overlap; a plane or scalar that the variant lacks is never
 * used.
 */
export function update(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  ema: usize,
  z: usize,
  x0: usize,
  count: u32,
  alpha: f32,
  oneMinusAlpha: f32,
  epsInside: f32,
  eps: f32,
  updateScale: f32,
  momentum: f32,
  bufferScale: f32,
  gradScale: f32,
  clipValue: f32,
  decoupledDecay: f32,
  weightDecay: f32,
  correction: f32,
  emaWeight: f32,
  zShare: f32,
  stepShare: f32,
  x0Share: f32,
): void {
  if (!(oneMinusAlpha > 0 && oneMinusAlpha < 0.5)) variant |= MIXED;
  // Neutral for the general loop, which scales every gradient.
  if (!(variant & (SHAPED | DECAYED))) gradScale = 1;
  // Vectors keep the table above to a line for each loop, at 0.98 to 1.004 of the time that twelve numbers took.
  const rates = vector(alpha, oneMinusAlpha, momentum, weightDecay);
  const scales = vector(updateScale, bufferScale, gradScale, decoupledDecay);
  const bounds = vector(epsInside, eps, clipValue, correction);
  const shares = vector(zShare, stepShare, x0Share, 0);
  const piece = variant & (AVERAGED | ZEROED | FLUSHED) ? PIECE : count;
  while (count > 0) {
    const elements = min(count, piece);
    const bytes: usize = elements << 2;
    // biome-ignore format: a line
    updatePiece(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, x0, elements, rates, scales, bounds, shares);
    if (variant & AVERAGED) {
      const done: usize = (elements & ~7) << 2;
      averageWeights<Eight>(param, ema, elements, emaWeight);
      averageWeights<One>(param + done, ema + done, elements & 7, emaWeight);
    }
    if (variant & FLUSHED) {
      flushPlane(param, elements);
      flushPlane(squareAvg, elements);
      if (variant & MOMENTUM) flushPlane(momentumBuffer, elements);
      if (variant & CENTERED) flushPlane(gradAvg, elements);
      if (variant & AVERAGED) flushPlane(ema, elements);
      if (variant & SCHEDULE_FREE) flushPlane(z, elements);
    }
    if (variant & ZEROED) memory.fill(grad, 0, bytes);
    param += bytes;
    grad += bytes;
    squareAvg += bytes;
    momentumBuffer += bytes;
    gradAvg += bytes;
    ema += bytes;
    z += bytes;
    x0 += bytes;
    count -= elements;
  }
}
