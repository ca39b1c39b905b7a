/**
 * The update of a tensor's planes: in pieces that the caches hold, by the loop made for the variant, with the passes that
 * follow it.
 */
import { average, flushPlane } from "./behind";
// biome-ignore lint/style/useImportType: AssemblyScript has no type imports
import { Halves, load, lower, One, PAIR, Pair, upper } from "./lanes";
// biome-ignore lint/style/useImportType: as above
import {
  Asked,
  AVERAGED,
  CENTERED,
  CORRECTED,
  DECAYED,
  FLUSHED,
  HALVES,
  LEARNED,
  MIXED,
  MOMENTUM,
  Off,
  On,
  SCHEDULE_FREE,
  SHAPED,
  updateAs,
  ZEROED,
} from "./rmsprop";

/**
 * The bytes of a plane that one loop does before the next loop takes them from the first cache level: those of a page.
 * With pieces of 16 kB, the average takes twice the time from 1 M elements up: nothing hides its wait for memory.
 */
const PIECE_BYTES: usize = 4096;
const PIECE: u32 = <u32>PIECE_BYTES / sizeof<Real>();

/**
 * The elements from which on the halves of planes are updated side by side: those of 16 MiB, beyond the caches. Three streams
 * don't keep a core's reads of memory busy; six do. At 8 M elements the plain loop takes 0.76 of the time, at 16 M 0.86;
 * in a cache that holds all it makes no difference. Loops with momentum and centered, of four and five streams, would
 * take 0.94 to 0.97, those of shaped and decayed gradients 0.82, at 80 bytes of the package each. Rejected: parts of 4 to 64 kB side by side, at 0.91 to 1.03 of the time at 16 M, and up to 1.1 at 1 M.
 */
const HALVES_FROM: u32 = 0x1000000 / sizeof<Real>();

/**
 * Reads the first element of a plane's next piece, and drops it; compilers keep a load, which may trap. The processor fetches ahead
 * within a page alone, so this brings the page's address and starts the fetching there: at 16 M elements the plain
 * loop takes 0.86 of the time, the others 0.89 to 1, and at 1 M 0.93 to 1. Rejected: a second line of the page at 1.03 of
 * the time, a word of each quarter at 1.26, the page after the next at 1.0 for most loops, four pages at a time at 0.92
 * to 1.2, pieces of half a page at 0.99 to 1.1; z read ahead too, at 1.03.
 */
function readAhead(plane: usize): void {
  load<One>(plane + PIECE_BYTES);
}

/**
 * Updates `count` elements of each plane in place. `variant` adds up the parts in use: 1 momentum, 2 centered, 4 shaped
 * (`gradScale`, `clipValue`), 8 decayed (`gradScale`, `weightDecay`), 16 nesterov, 32 corrected, 64 averaged (`ema`),
 * 128 the gradient cleared behind the update, 256 decoupled (`decoupledDecay`), 512 denormals flushed behind it,
 * 1024 scheduleFree (`z`, `zShare`, `stepShare`), 2048 learned (`moved`, `growth`).
 * Pointers are bytes, aligned to an element, of planes that do not overlap; a plane or scalar that the variant lacks is never
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
  moved: usize,
  count: u32,
  alpha: Real,
  oneMinusAlpha: Real,
  epsInside: Real,
  eps: Real,
  updateScale: Real,
  momentum: Real,
  bufferScale: Real,
  gradScale: Real,
  clipValue: Real,
  decoupledDecay: Real,
  weightDecay: Real,
  correction: Real,
  emaWeight: Real,
  zShare: Real,
  stepShare: Real,
  growth: Real,
): void {
  if (!(oneMinusAlpha > 0 && oneMinusAlpha < 0.5)) variant |= MIXED;
  // Neutral for the general loop, which scales every gradient.
  if (!(variant & (SHAPED | DECAYED))) gradScale = 1;
  // Vectors keep the table above to a line for each loop, at 0.98 to 1.004 of the time that twelve numbers took.
  const rates = lower(alpha, oneMinusAlpha, momentum, weightDecay);
  const moreRates = upper(momentum, weightDecay);
  const scales = lower(updateScale, bufferScale, gradScale, decoupledDecay);
  const moreScales = upper(gradScale, decoupledDecay);
  const bounds = lower(epsInside, eps, clipValue, correction);
  const moreBounds = upper(clipValue, correction);
  const shares = lower(zShare, stepShare, growth, 0);
  const moreShares = upper(growth, 0);
  let half: u32 = 0;
  if (variant === 0 && count >= HALVES_FROM) {
    // Whole pieces, with at least one element behind the second half to read ahead.
    half = ((count - 1) / 2) & ~(PIECE - 1);
    variant |= HALVES;
  }
  const apart: usize = half * sizeof<Real>();
  while (count > 0) {
    const elements = min(count, PIECE);
    const bytes: usize = elements * sizeof<Real>();
    if (count > elements) {
      readAhead(param);
      readAhead(grad);
      readAhead(squareAvg);
      if (variant & HALVES) {
        readAhead(param + apart);
        readAhead(grad + apart);
        readAhead(squareAvg + apart);
      }
      if (variant & MOMENTUM) readAhead(momentumBuffer);
      if (variant & CENTERED) readAhead(gradAvg);
      if (variant & AVERAGED) readAhead(ema);
      if (variant & LEARNED) readAhead(moved);
    }
    // A loop made for the variant, or the general one, and the tail's for what is left. In a function of their own they
    // would cost a tenth of a call that is mostly arguments.
    const whole: u32 = variant & MIXED ? 0 : elements & ~(PAIR - 1);
    // biome-ignore format: a table
    if (whole > 0) switch (variant & ~(AVERAGED | ZEROED | FLUSHED)) {
      case 0: updateAs<Pair, Off, Off, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      case MOMENTUM: updateAs<Pair, On, Off, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      case CENTERED: updateAs<Pair, Off, On, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      case CENTERED | MOMENTUM: updateAs<Pair, On, On, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      case SHAPED: updateAs<Pair, Off, Off, On, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      case DECAYED: updateAs<Pair, Off, Off, Off, On, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      case SCHEDULE_FREE: updateAs<Pair, Off, Off, Off, Off, Off, On, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      case HALVES: updateAs<Halves, Off, Off, Off, Off, Off, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart); break;
      default:
        if (LEARNED && (variant & ~(AVERAGED | ZEROED | FLUSHED | CORRECTED)) === LEARNED) updateAs<Pair, Off, Off, Off, Off, Asked, Off, On>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart);
        else if (variant & (SCHEDULE_FREE | LEARNED)) updateAs<Pair, Asked, Asked, Asked, Asked, Asked, Asked, Asked>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart);
        else updateAs<Pair, Asked, Asked, Asked, Asked, Asked, Off, Off>(variant, param, grad, squareAvg, momentumBuffer, gradAvg, z, moved, whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart);
    }
    if (whole < elements) {
      const done: usize = whole * sizeof<Real>();
      // biome-ignore format: as above
      updateAs<One, Asked, Asked, Asked, Asked, Asked, Asked, Asked>(
        variant, param + done, grad + done, squareAvg + done, momentumBuffer + done, gradAvg + done, z + done, moved + done,
        elements - whole, rates, moreRates, scales, moreScales, bounds, moreBounds, shares, moreShares, apart,
      );
    }
    if (variant & AVERAGED) average(ema, param, elements, emaWeight);
    if (variant & FLUSHED) {
      flushPlane(param, elements);
      flushPlane(squareAvg, elements);
      if (variant & MOMENTUM) flushPlane(momentumBuffer, elements);
      if (variant & CENTERED) flushPlane(gradAvg, elements);
      if (variant & AVERAGED) flushPlane(ema, elements);
      if (variant & SCHEDULE_FREE) flushPlane(z, elements);
      if (variant & LEARNED) flushPlane(moved, elements);
    }
    if (variant & ZEROED) memory.fill(grad, 0, bytes);
    param += bytes;
    grad += bytes;
    squareAvg += bytes;
    momentumBuffer += bytes;
    gradAvg += bytes;
    ema += bytes;
    z += bytes;
    moved += bytes;
    count -= elements;
    if (variant & HALVES) {
      count -= elements;
      half -= elements;
      if (half === 0) {
        variant &= ~HALVES;
        param += apart;
        grad += apart;
        squareAvg += apart;
      }
    }
  }
}
