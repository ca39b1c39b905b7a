/**
 * Rows of a tensor, by a list: the update of those that a step touches, after the steps that they have missed.
 *
 * A row that had no gradient for k steps has, after the k dense steps that it missed, averages, momentum and parameters
 * that are linear in what they were. So one product with a factor in double, rounded once, stands for k products, each
 * rounded: v = v · alpha^k, and the like. That power is computed here. The factors of momentum, parameters and ema are handed
 * in with each row, since they depend on learning rates, which may come from a schedule.
 */
import { flushPlane, normal } from "./behind";
import { power } from "./power";
import { AVERAGED, CENTERED, MOMENTUM, ROWWISE } from "./rmsprop";
import { updateRow } from "./rowwise";
import { update } from "./update";

/** Rows are brought up to date, and not updated: grad and scalars have no meaning. */
const IDLE: u32 = 32768;
/** The last steps of rows stand by the rows' numbers, not in the order of the list. */
const BY_ROW: u32 = 65536;

/** The most rows that are read ahead, and their elements: they must still be in the cache when they are updated. */
const PIECE: u32 = 128;
const PIECE_ELEMENTS: u32 = 8192;
/** Doubles in the table of powers. */
const POWERS: u32 = 512;

/**
 * Does what `update` does for each row whose number stands in the list of `rowCount` uint32 at byte `rows`, each of them
 * once. Planes begin at row 0, and `count` is the number of elements in a row. Rows that follow each other are updated as
 * one run. With variant 4096, rowwise, `squareAvg` has one element for each row, and `update` is that of `rowwise.ts`.
 *
 * First each row is brought up to date by step `now`, unless `steps` is 0. The list of uint32 at byte `steps` has the step by
 * which each row was up to date so far. `averageKept` is the factor of averages for one step, `powers` a table of that
 * factor's powers or 0, and `moves` has an entry for each row in the list or is 0.
 *
 * One call does both. The wait for a row that isn't in the cache takes longer than all arithmetic, and two passes, one that
 * catches up and one that updates, would wait twice.
 */
export function updateRows(
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
  rows: usize,
  steps: usize,
  powers: usize,
  moves: usize,
  rowCount: u32,
  now: u32,
  averageKept: f64,
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
): u32 {
  const bytes: usize = count * sizeof<Real>();
  const squareCount: u32 = variant & ROWWISE ? 1 : count;
  const piece: u32 = max(1, min(PIECE, PIECE_ELEMENTS / max(1, count)));
  let seen: u32 = 0;
  while (rowCount > 0) {
    const end = min(rowCount, piece);
    for (let i: u32 = 0; i < end; i++) {
      const row = load<u32>(rows + (i << 2));
      const at = <usize>row * bytes;
      seen |= touch(param + at, bytes);
      seen |= touch(squareAvg + <usize>(row * squareCount) * sizeof<Real>(), squareCount * sizeof<Real>());
      if (!(variant & IDLE)) seen |= touch(grad + at, bytes);
      if (variant & MOMENTUM) seen |= touch(momentumBuffer + at, bytes);
      if (variant & CENTERED) seen |= touch(gradAvg + at, bytes);
      if (variant & AVERAGED) seen |= touch(ema + at, bytes);
    }
    for (let i: u32 = 0; i < end; ) {
      const first = load<u32>(rows + (i << 2));
      const at = <usize>first * bytes;
      let run: u32 = 0;
      do {
        const row = first + run;
        const missed: u32 = steps === 0 ? 0 : now - load<u32>(steps + ((variant & BY_ROW ? row : i) << 2));
        if (missed > 0) {
          const here = <usize>row * bytes;
          move(variant, param + here, momentumBuffer + here, ema + here, moves && moves + i * MOVES, count);
          const kept =
            powers !== 0 && missed < POWERS ? load<f64>(powers + (missed << 3)) : power(averageKept, missed);
          scale(squareAvg + <usize>(row * squareCount) * sizeof<Real>(), kept, squareCount);
          if (variant & CENTERED) scale(gradAvg + here, kept, count);
        }
        run++;
        i++;
      } while (!(variant & ROWWISE) && i < end && load<u32>(rows + (i << 2)) === first + run);
      if (variant & IDLE) continue;
      if (variant & ROWWISE) {
        // biome-ignore format: a list
        updateRow(
          variant, param + at, grad + at, squareAvg + first * sizeof<Real>(), momentumBuffer + at, ema + at, count,
          alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale, gradScale, decoupledDecay, correction, emaWeight,
        );
      } else {
        // biome-ignore format: a list
        update(
          variant & ~BY_ROW, param + at, grad + at, squareAvg + at, momentumBuffer + at, gradAvg + at, ema + at, z + at, moved + at,
          run * count, alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale, gradScale, clipValue, decoupledDecay,
          weightDecay, correction, emaWeight, zShare, stepShare, growth,
        );
      }
    }
    rows += end << 2;
    if (steps !== 0 && !(variant & BY_ROW)) steps += end << 2;
    if (moves !== 0) moves += end * MOVES;
    rowCount -= end;
  }
  return seen;
}

/**
 * Reads a word of each cache line, before the loop that updates. Otherwise a processor waits for one row after the other:
 * no prefetcher knows which row is next, and a processor looks ahead no farther than one row's arithmetic. The words go to
 * the caller, joined by OR, or the compiler would leave the loads out.
 *
 * Rejected, each with its time as a multiple of this one's:
 *
 * - Reading a few rows ahead, between the rows that are updated: 1.8, since the reads hold up the arithmetic behind them.
 * - Every second line: 1.4, since the prefetcher doesn't add the lines between.
 * - Copies of the rows side by side, updated in one run: 1.3 for rows of 64, and 0.8 for rows of 8.
 * - For rows of 8, loops in `update` that go over a list: 0.8 as well, but one kilobyte more, and 20 ns more for each
 *   dense call.
 */
function touch(ptr: usize, bytes: usize): u32 {
  let seen: u32 = 0;
  for (let at: usize = 0; at < bytes; at += 64) seen |= load<u32>(ptr + at);
  return seen;
}

/**
 * Bytes of an entry of `moves`, six doubles: the factors of the steps that a row has missed, for what moves without a
 * gradient beside the averages:
 *
 *     e = emaKept·e + emaOfParam·p + emaOfMomentum·m
 *     p = paramKept·p + paramOfMomentum·m
 *     m = momentumKept·m
 *
 * in double, from left to right, rounded once; then 0 where denormal, as every 64th step leaves it. A term whose factor
 * is 0 is left out: 0 times an infinite momentum is NaN.
 */
const MOVES: usize = 48;

function move(variant: u32, p: usize, m: usize, e: usize, entry: usize, count: u32): void {
  if (entry === 0) {
    flushPlane(p, count);
    if (variant & MOMENTUM) flushPlane(m, count);
    if (variant & AVERAGED) flushPlane(e, count);
    return;
  }
  const paramKept = load<f64>(entry, 8);
  const paramOfMomentum = load<f64>(entry, 16);
  if (variant & AVERAGED) {
    combine(e, load<f64>(entry, 24), p, load<f64>(entry, 32), m, load<f64>(entry, 40), count);
  }
  if (paramOfMomentum === 0) scale(p, paramKept, count);
  else combine(p, paramKept, m, paramOfMomentum, 0, 0, count);
  if (variant & MOMENTUM) scale(m, load<f64>(entry), count);
}

/** x = kept·x: the sum of `combine` with one term, which is all that most rows need, in a third of its time. */
function scale(x: usize, kept: f64, count: u32): void {
  if (kept === 1) {
    flushPlane(x, count);
    return;
  }
  const keptOfTwo = f64x2.splat(kept);
  for (; count >= 4; count -= 4) {
    if (sizeof<Real>() === 8) {
      v128.store(x, normal(f64x2.mul(keptOfTwo, v128.load(x))));
      v128.store(x, normal(f64x2.mul(keptOfTwo, v128.load(x, 16))), 16);
    } else {
      const low = f32x4.demote_f64x2_zero(f64x2.mul(keptOfTwo, doubles(x, true)));
      const high = f32x4.demote_f64x2_zero(f64x2.mul(keptOfTwo, doubles(x + 8, true)));
      v128.store(x, normal(v128.shuffle<f32>(low, high, 0, 1, 4, 5)));
    }
    x += 4 * sizeof<Real>();
  }
  for (; count > 0; count--) {
    storeRounded(x, f64x2.mul(keptOfTwo, doubles(x, false)), false);
    x += sizeof<Real>();
  }
}

/** x = kept·x + ofY·y + ofZ·z */
function combine(x: usize, kept: f64, y: usize, ofY: f64, z: usize, ofZ: f64, count: u32): void {
  const keptOfTwo = f64x2.splat(kept);
  const ofTwoY = f64x2.splat(ofY);
  const ofTwoZ = f64x2.splat(ofZ);
  for (let pairs = (count + 1) >> 1; pairs > 0; pairs--) {
    // The last element of an odd row stands alone: what is beside it belongs to the next row.
    const isPair = count > 1;
    let sum = f64x2.mul(keptOfTwo, doubles(x, isPair));
    if (ofY !== 0) sum = f64x2.add(sum, f64x2.mul(ofTwoY, doubles(y, isPair)));
    if (ofZ !== 0) sum = f64x2.add(sum, f64x2.mul(ofTwoZ, doubles(z, isPair)));
    storeRounded(x, sum, isPair);
    x += 2 * sizeof<Real>();
    y += 2 * sizeof<Real>();
    z += 2 * sizeof<Real>();
    count -= 2;
  }
}

/** Two elements, or one, as double. */
function doubles(ptr: usize, isPair: bool): v128 {
  if (sizeof<Real>() === 8) return isPair ? v128.load(ptr) : v128.load64_zero(ptr);
  return f64x2.promote_low_f32x4(isPair ? v128.load64_zero(ptr) : v128.load32_zero(ptr));
}

function storeRounded(ptr: usize, sum: v128, isPair: bool): void {
  const rounded = normal(sizeof<Real>() === 8 ? sum : f32x4.demote_f64x2_zero(sum));
  if (!isPair) v128.store_lane<Real>(ptr, rounded, 0);
  else if (sizeof<Real>() === 8) v128.store(ptr, rounded);
  else v128.store64_lane(ptr, rounded, 0);
}
