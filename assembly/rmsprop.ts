/**
 * The update loop: the mathematics of RMSprop, once, over four lanes.
 *
 *     g = grad · gradScale                       shaped (maximize is a scale of −1)
 *     g = g + weightDecay · p                    shaped
 *     v = alpha·v + ((1 − alpha)·g)·g            then the floor and the ceiling
 *     a = alpha·a + (1 − alpha)·g                centered; then the floor
 *     d = sqrt(v) + eps                          centered: v becomes max(v − a², 0) here
 *     u = (updateScale·g) / d
 *     m = momentum·m + u                         momentum
 *     p = p − u                                  momentum: p − bufferScale·m
 *
 * Each symbol is one IEEE float32 operation in the order written, in the vector loop and in the tail alike, so a
 * result depends on the values alone: not on an element's place, the engine or the machine. `src/reference.ts` is
 * the same text in plain JavaScript.
 *
 * What was rejected, with its price per element on a Zen 4 core (the plain loop takes 0.59 ns, all of it the
 * divider: one root and one division for four elements):
 * - Four vectors a turn: no gain once planes are staggered (`src/arena.ts`), and four times the code.
 * - Run-time branches for what few callers use: 0.05 ns for each branch never taken.
 * - `f32x4.min` and `max`: 2.4 times the whole loop; `pmin` and `pmax` are one instruction.
 */

/**
 * Switches of a variant. What is `Off` at compile time leaves no instruction behind; `Asked` looks at `variant` for
 * each element, which is for the tail alone: three elements don't pay for a copy of the code in every variant.
 */
type On = i32;
type Asked = f32;
// biome-ignore lint/suspicious/noConfusingVoidType: a type argument that is neither of the two above
type Off = void;

const MOMENTUM: u32 = 1;
const CENTERED: u32 = 2;
const SHAPED: u32 = 4;

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

/** Updates the elements that fill whole turns. */
function updateAs<Lanes, Momentum, Centered, Shaped>(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  count: u32,
  alpha: f32,
  oneMinusAlpha: f32,
  eps: f32,
  updateScale: f32,
  momentum: f32,
  bufferScale: f32,
  gradScale: f32,
  weightDecay: f32,
): void {
  const elements: u32 = isVector<Lanes>() ? 4 : 1;
  const bytes: usize = isVector<Lanes>() ? 16 : 4;
  const alphas = f32x4.splat(alpha);
  const oneMinusAlphas = f32x4.splat(oneMinusAlpha);
  const epsilons = f32x4.splat(eps);
  const updateScales = f32x4.splat(updateScale);
  const momentums = f32x4.splat(momentum);
  const bufferScales = f32x4.splat(bufferScale);
  const gradScales = f32x4.splat(gradScale);
  const weightDecays = f32x4.splat(weightDecay);
  const decays = f32x4.ne(weightDecays, f32x4.splat(0));

  // Counting down, not comparing with an end address, lets a plane reach the last byte of a 4 GiB memory.
  for (; count >= elements; count -= elements) {
    let p = load<Lanes>(param);
    let g = load<Lanes>(grad);
    if (uses<Shaped>(variant, SHAPED)) {
      g = f32x4.mul(g, gradScales);
      // Selected, not multiplied by zero: without decay an infinite parameter must not make its gradient NaN.
      g = v128.bitselect(f32x4.add(g, f32x4.mul(weightDecays, p)), g, decays);
    }

    let v = load<Lanes>(squareAvg);
    v = f32x4.add(f32x4.mul(alphas, v), f32x4.mul(f32x4.mul(oneMinusAlphas, g), g));
    v = flush(v, v);
    // An infinity would never decay again. This order of operands keeps NaN.
    v = f32x4.pmin(v, f32x4.splat(LARGEST_FINITE));
    store<Lanes>(squareAvg, v);

    let q = v;
    if (uses<Centered>(variant, CENTERED)) {
      let a = load<Lanes>(gradAvg);
      a = f32x4.add(f32x4.mul(alphas, a), f32x4.mul(oneMinusAlphas, g));
      a = flush(a, f32x4.abs(a));
      store<Lanes>(gradAvg, a);
      // Cancellation can leave the variance a little below zero, and its root would be NaN. NaN itself passes.
      q = f32x4.pmax(f32x4.sub(v, f32x4.mul(a, a)), f32x4.splat(0));
    }

    const d = f32x4.add(f32x4.sqrt(q), epsilons);
    const u = f32x4.div(f32x4.mul(updateScales, g), d);
    if (uses<Momentum>(variant, MOMENTUM)) {
      const m = f32x4.add(f32x4.mul(momentums, load<Lanes>(momentumBuffer)), u);
      store<Lanes>(momentumBuffer, m);
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
  }
}

/**
 * Updates `count` elements of each plane in place. `variant` adds up what is used: 1 momentum, 2 centered, 4 a
 * gradient shaped by `gradScale` and `weightDecay`. Pointers are bytes, 4-byte aligned, of planes that do not
 * overlap; a plane or scalar that the variant lacks is never used.
 */
export function update(
  variant: u32,
  param: usize,
  grad: usize,
  squareAvg: usize,
  momentumBuffer: usize,
  gradAvg: usize,
  count: u32,
  alpha: f32,
  oneMinusAlpha: f32,
  eps: f32,
  updateScale: f32,
  momentum: f32,
  bufferScale: f32,
  gradScale: f32,
  weightDecay: f32,
): void {
  // The tail goes first: behind the loops it would keep their arguments alive, and the registers that takes cost
  // the loops a fifth (momentum: two fifths) of their speed.
  const done: usize = (count & ~3) << 2;
  // biome-ignore format: the arguments in their order
  updateAs<One, Asked, Asked, Asked>(
    variant, param + done, grad + done, squareAvg + done, momentumBuffer + done, gradAvg + done, count & 3,
    alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
  );

  // biome-ignore format: a table, the arguments the same in each row
  switch (variant) {
    case 0: updateAs<Four, Off, Off, Off>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    case 1: updateAs<Four, On, Off, Off>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    case 2: updateAs<Four, Off, On, Off>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    case 3: updateAs<Four, On, On, Off>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    case 4: updateAs<Four, Off, Off, On>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    case 5: updateAs<Four, On, Off, On>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    case 6: updateAs<Four, Off, On, On>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    case 7: updateAs<Four, On, On, On>(
      variant, param, grad, squareAvg, momentumBuffer, gradAvg, count,
      alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay,
    ); break;
    default: unreachable();
  }
}
