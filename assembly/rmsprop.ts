/**
 * The update loop: the mathematics of RMSprop, once, over four lanes.
 *
 *     g = grad · gradScale                       shaped, decayed (maximize is a negative scale)
 *     g = min(max(g, −clipValue), clipValue)     shaped
 *     p = p · paramScale                         shaped: 1 − lr·weightDecay, the decoupled kind
 *     g = g + weightDecay · p                    decayed: the coupled kind
 *     v = alpha·v + ((1 − alpha)·g)·g            then the floor and the ceiling
 *     a = alpha·a + (1 − alpha)·g                centered; then the floor
 *     v, a = v / correction, a / correction      corrected: 1 − alpha^t; for this step only
 *     q = v                                      centered: max(v − a², 0)
 *     u = (updateScale·g) / (sqrt(q + epsInside) + eps)
 *     m = momentum·m + u                         momentum; nesterov goes on with u + momentum·m
 *     p = p − u                                  momentum: p − bufferScale·m
 *     e = e + emaWeight·(p − e)                  averaged: emaWeight is 1 − decay
 *
 * Each symbol is one IEEE float32 operation in the order written, in the vector loop and in the tail alike, so a
 * result depends on the values alone: not on an element's place, the engine or the machine. What a variant lacks is
 * not computed; what it has but nobody set is computed with a neutral number, which changes no bit: ×1, a clip at
 * infinity, epsilon + 0. `src/kernel/reference.ts` is the same text in plain JavaScript.
 *
 * What was rejected, with its price per element on a Zen 4 core. The plain loop takes 0.59 ns there, nearly all of
 * it the divider: one root and one division for four elements.
 * - Two or four vectors a turn: no gain once planes are staggered (`src/memory/arena.ts`), and as many times the code.
 * - A test at the top of the loop: 0.2 to 0.5 ns more. V8 moves constants out of a loop only when its body is sure
 *   to run, and makes them anew for each element otherwise.
 * - Everything in one loop with neutral numbers: 0.2 ns more for shaping and 0.1 ns for decay, when not used.
 * - A run-time branch for what few use: 0.05 ns each, not taken. Only the general variant has them.
 * - The average of the weights inside the loop: no faster than a loop of its own over what is still in cache.
 * - `f32x4.min` and `max`: 2.4 times the whole loop; `pmin` and `pmax` are one instruction.
 */

/**
 * Switches of a variant. What is `Off` at compile time leaves no instruction behind; `Asked` looks at `variant` for
 * each element, which serves the tail (three elements don't pay for code of their own) and rare combinations.
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

function uses<Switch>(variant: u32, bit: u32): bool {
  if (isVoid<Switch>()) return false;
  return isInteger<Switch>() || (variant & bit) !== 0;
}

/** How many elements a turn takes: a vector of four, or one, with zeros in the lanes beside it. */
type Four = v128;
type One = f32;

function load<Lanes>(ptr: usize): v128 {
  return isVector<Lanes>() ? v128.load(ptr) : v128.load32_zero(ptr);
}

function store<Lanes>(ptr: usize, value: v128): void {
  if (isVector<Lanes>()) v128.store(ptr, value);
  else v128.store_lane<f32>(ptr, value, 0);
}

const SMALLEST_NORMAL: f32 = 1.1754943508222875e-38;
const LARGEST_FINITE: f32 = 3.4028234663852886e38;

/**
 * A decaying average below the smallest normal number becomes 0. Left alone it would reach a denormal that `alpha`
 * times itself rounds back to, and stay there for good, at many times the cost of an ordinary value.
 */
function flush(average: v128, magnitude: v128): v128 {
  return v128.andnot(average, f32x4.lt(magnitude, f32x4.splat(SMALLEST_NORMAL)));
}

function vector(a: f32, b: f32, c: f32, d: f32): v128 {
  const ab = f32x4.replace_lane(f32x4.splat(a), 1, b);
  return f32x4.replace_lane(f32x4.replace_lane(ab, 2, c), 3, d);
}

/** Updates the elements that fill whole turns. */
function updateAs<Lanes, Momentum, Centered, Shaped, Decayed, Rest>(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  count: u32,
  rates: v128,
  scales: v128,
  bounds: v128,
): void {
  const elements: u32 = isVector<Lanes>() ? 4 : 1;
  const bytes: usize = isVector<Lanes>() ? 16 : 4;
  if (count < elements) return;

  const alphas = f32x4.splat(f32x4.extract_lane(rates, 0));
  const oneMinusAlphas = f32x4.splat(f32x4.extract_lane(rates, 1));
  const momentums = f32x4.splat(f32x4.extract_lane(rates, 2));
  const weightDecays = f32x4.splat(f32x4.extract_lane(rates, 3));
  const updateScales = f32x4.splat(f32x4.extract_lane(scales, 0));
  const bufferScales = f32x4.splat(f32x4.extract_lane(scales, 1));
  const gradScales = f32x4.splat(f32x4.extract_lane(scales, 2));
  const paramScales = f32x4.splat(f32x4.extract_lane(scales, 3));
  const epsInsides = f32x4.splat(f32x4.extract_lane(bounds, 0));
  const epsilons = f32x4.splat(f32x4.extract_lane(bounds, 1));
  const highest = f32x4.splat(f32x4.extract_lane(bounds, 2));
  const lowest = f32x4.neg(highest);
  const corrections = f32x4.splat(f32x4.extract_lane(bounds, 3));

  // Counting down, not comparing with an end address, lets a plane reach the last byte of a 4 GiB memory.
  do {
    let p = load<Lanes>(param);
    let g = load<Lanes>(grad);
    if (uses<Shaped>(variant, SHAPED)) {
      g = f32x4.mul(g, gradScales);
      // This order of operands keeps NaN, here and below.
      g = f32x4.pmin(f32x4.pmax(g, lowest), highest);
      p = f32x4.mul(p, paramScales);
    }
    if (uses<Decayed>(variant, DECAYED)) {
      if (!uses<Shaped>(variant, SHAPED)) g = f32x4.mul(g, gradScales);
      g = f32x4.add(g, f32x4.mul(weightDecays, p));
    }

    let v = load<Lanes>(squareAvg);
    v = f32x4.add(f32x4.mul(alphas, v), f32x4.mul(f32x4.mul(oneMinusAlphas, g), g));
    v = flush(v, v);
    // An infinity would never decay again.
    v = f32x4.pmin(v, f32x4.splat(LARGEST_FINITE));
    store<Lanes>(squareAvg, v);
    if (uses<Rest>(variant, CORRECTED)) v = f32x4.div(v, corrections);

    if (uses<Centered>(variant, CENTERED)) {
      let a = load<Lanes>(gradAvg);
      a = f32x4.add(f32x4.mul(alphas, a), f32x4.mul(oneMinusAlphas, g));
      a = flush(a, f32x4.abs(a));
      store<Lanes>(gradAvg, a);
      if (uses<Rest>(variant, CORRECTED)) a = f32x4.div(a, corrections);
      // Cancellation can leave the variance a little below zero, and its root would be NaN.
      v = f32x4.pmax(f32x4.sub(v, f32x4.mul(a, a)), f32x4.splat(0));
    }

    const d = f32x4.add(f32x4.sqrt(f32x4.add(v, epsInsides)), epsilons);
    const u = f32x4.div(f32x4.mul(updateScales, g), d);
    if (uses<Momentum>(variant, MOMENTUM)) {
      let m = f32x4.add(f32x4.mul(momentums, load<Lanes>(momentumBuffer)), u);
      store<Lanes>(momentumBuffer, m);
      if (uses<Rest>(variant, NESTEROV)) m = f32x4.add(u, f32x4.mul(momentums, m));
      p = f32x4.sub(p, f32x4.mul(bufferScales, m));
    } else {
      p = f32x4.sub(p, u);
    }
    store<Lanes>(param, p);

    param += bytes;
    grad += bytes;
    squareAvg += bytes;
    if (uses<Momentum>(variant, MOMENTUM)) momentumBuffer += bytes;
    if (uses<Centered>(variant, CENTERED)) gradAvg += bytes;
    count -= elements;
  } while (count >= elements);
}

/** Chooses the loop made for the variant, or the general one. */
function updatePiece(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  count: u32,
  rates: v128,
  scales: v128,
  bounds: v128,
): void {
  // biome-ignore format: a table
  switch (variant & ~(AVERAGED | ZEROED)) {
    case 0: updateAs<Four, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case MOMENTUM: updateAs<Four, On, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case CENTERED: updateAs<Four, Off, On, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case CENTERED | MOMENTUM: updateAs<Four, On, On, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case SHAPED: updateAs<Four, Off, Off, On, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case SHAPED | MOMENTUM: updateAs<Four, On, Off, On, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case SHAPED | CENTERED: updateAs<Four, Off, On, On, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case SHAPED | CENTERED | MOMENTUM: updateAs<Four, On, On, On, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case DECAYED: updateAs<Four, Off, Off, Off, On, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case DECAYED | MOMENTUM: updateAs<Four, On, Off, Off, On, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case DECAYED | CENTERED: updateAs<Four, Off, On, Off, On, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    case DECAYED | CENTERED | MOMENTUM: updateAs<Four, On, On, Off, On, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds); break;
    default: updateAs<Four, Asked, Asked, Asked, Asked, Asked>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, count, rates, scales, bounds);
  }
  if ((count & 3) === 0) return;
  const done: usize = (count & ~3) << 2;
  // biome-ignore format: as above
  updateAs<One, Asked, Asked, Asked, Asked, Asked>(
    variant, param + done, grad + done, squareAvg + done, momentumBuffer + done, gradAvg + done, count & 3,
    rates, scales, bounds,
  );
}

/**
 * The running average of the weights. Not as decay·e + (1 − decay)·p: the two factors, rounded, don't add up to 1,
 * and the average drifts to four times the error.
 */
function average<Lanes>(param: usize, ema: usize, count: u32, emaWeight: f32): void {
  const elements: u32 = isVector<Lanes>() ? 4 : 1;
  const bytes: usize = isVector<Lanes>() ? 16 : 4;
  if (count < elements) return;

  const weights = f32x4.splat(emaWeight);
  do {
    const e = load<Lanes>(ema);
    store<Lanes>(ema, f32x4.add(e, f32x4.mul(weights, f32x4.sub(load<Lanes>(param), e))));
    param += bytes;
    ema += bytes;
    count -= elements;
  } while (count >= elements);
}

/**
 * Elements that one loop does before the next loop takes them from the first cache level. With pieces eight times as
 * long, the average takes twice the time from 1 M elements up: nothing hides its wait for memory.
 */
const PIECE: u32 = 512;

/**
 * Updates `count` elements of each plane in place. `variant` adds up what is used: 1 momentum, 2 centered, 4 shaped
 * (`gradScale`, `clipValue`, `paramScale`), 8 decayed (`gradScale`, `weightDecay`), 16 nesterov, 32 corrected,
 * 64 averaged (`ema`), 128 the gradient cleared behind the update. Pointers are bytes, 4-byte aligned, of planes that
 * do not overlap; a plane or scalar that the variant lacks is never used.
 */
export function update(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  ema: usize,
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
  paramScale: f32,
  weightDecay: f32,
  correction: f32,
  emaWeight: f32,
): void {
  // Vectors keep the table above to a line for each loop, at 0.98 to 1.004 of the time that twelve numbers took.
  const rates = vector(alpha, oneMinusAlpha, momentum, weightDecay);
  const scales = vector(updateScale, bufferScale, gradScale, paramScale);
  const bounds = vector(epsInside, eps, clipValue, correction);
  const piece = variant & (AVERAGED | ZEROED) ? PIECE : count;
  while (count > 0) {
    const elements = min(count, piece);
    const bytes: usize = elements << 2;
    // biome-ignore format: the arguments in their order
    updatePiece(variant, param, grad, squareAvg, momentumBuffer, gradAvg, elements, rates, scales, bounds);
    if (variant & AVERAGED) {
      const done: usize = (elements & ~3) << 2;
      average<Four>(param, ema, elements, emaWeight);
      average<One>(param + done, ema + done, elements & 3, emaWeight);
    }
    if (variant & ZEROED) memory.fill(grad, 0, bytes);
    param += bytes;
    grad += bytes;
    squareAvg += bytes;
    momentumBuffer += bytes;
    gradAvg += bytes;
    ema += bytes;
    count -= elements;
  }
}
