/**
 * The JavaScript backend: the mathematics of `assembly/` for one element at a time, with the same bits. The tests take
 * it for their oracle, and it runs wherever WebAssembly is forbidden. Rounding after each operation makes it an operation of
 * the element type: for float32 by `Math.fround`, which is exact through double for + − × ÷ and the root, denormals
 * included; in float64 there is nothing to round.
 */
import { DOUBLES } from "../base/arithmetic.ts";
import { type FloatArray, type Real, shiftOf } from "../base/real.ts";
import { BackendError } from "../errors.ts";
import {
  AVERAGED,
  type Backend,
  type Backends,
  BY_ROW,
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSHED,
  IDLE,
  type Kernel,
  LEARNED,
  MOMENTUM,
  MOVES,
  movesByDifference,
  NESTEROV,
  ROWWISE,
  type Rows,
  SCHEDULE_FREE,
  type Scalars,
  SHAPED,
  UNMOVED,
  ZEROED,
} from "./contract.ts";
import { innerProduct, sumOfSquares } from "./reference-sums.ts";
import { PLANES, type Plane, partOf, type Segment, segmentAt } from "./segment.ts";

/** The backend alone, for entries without WebAssembly. */
export function referenceOver<Elements extends FloatArray>(real: Real<Elements>): Backends<Elements> {
  return { real, open: (memory, wanted) => openReference(memory, wanted, real) };
}

/** Binds the backend to a memory. Throws `BackendError` where WebAssembly was asked for. */
export function openReference(memory: WebAssembly.Memory, wanted: Backend | undefined, real: Real): Kernel {
  if (wanted === "wasm") {
    throw new BackendError('Option backend: "wasm" isn\'t in this entry: import "rmsprop-wasm".');
  }
  let heap = new real.Array(memory.buffer);
  const current = () => {
    if (heap.buffer !== memory.buffer) heap = new real.Array(memory.buffer);
    return heap;
  };
  return {
    backend: "js",
    real,
    update: (segment, scalars) => update(current(), segment, scalars, real),
    updateRows: (segment, scalars, rows) => updateRows(current(), segment, scalars, rows, real),
    sumOfSquares: (grad, count, scale) => sumOfSquares(current(), grad >>> shiftOf(real), count, scale),
    innerProduct: (...args) => innerProduct(current(), ...args, real),
  };
}

function update(heap: FloatArray, segment: Segment, scalars: Scalars, real: Real): void {
  const { variant } = scalars;
  const isCommon = (variant & ~(MOMENTUM | AVERAGED | ZEROED | FLUSHED)) === 0 && movesByDifference(scalars);
  (isCommon ? updateCommon : updateAny)(heap, segment, scalars, real);
  if (variant & FLUSHED) flush(heap, segment, "squareAvg", real);
  follow(heap, segment, scalars, real);
}

/** The work behind an update, but for the flush of the mean square. */
function follow(heap: FloatArray, segment: Segment, scalars: Scalars, real: Real): void {
  const { variant } = scalars;
  if (variant & AVERAGED) {
    average(heap, segment, scalars.emaWeight, real);
  }
  if (variant & FLUSHED) {
    flush(heap, segment, "param", real);
    if (variant & MOMENTUM) flush(heap, segment, "momentumBuffer", real);
    if (variant & CENTERED) flush(heap, segment, "gradAvg", real);
    if (variant & AVERAGED) flush(heap, segment, "ema", real);
    if (variant & SCHEDULE_FREE) flush(heap, segment, "z", real);
    if (variant & LEARNED) flush(heap, segment, "moved", real);
  }
  if (variant & ZEROED) {
    const grad = segment.grad >>> shiftOf(real);
    heap.fill(0, grad, grad + segment.count);
  }
}

/**
 * Plain and momentum, with no operation that neutral numbers let one leave out. A store rounds by itself. Most of the
 * time goes into rounding, for which engines convert to float32 and back: on a Zen 4 core the plain loop takes 1.5 times
 * as long as one in double, on a Sapphire Rapids core, with one converter, 2.9 times (2.1 with two elements a turn).
 */
function updateCommon(heap: FloatArray, segment: Segment, scalars: Scalars, real: Real): void {
  const { round } = real;
  const shift = shiftOf(real);
  const { variant, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
  const { count } = segment;
  const param = segment.param >>> shift;
  const grad = segment.grad >>> shift;
  const squareAvg = segment.squareAvg >>> shift;
  const momentumBuffer = segment.momentumBuffer >>> shift;
  // Rounded once more, or V8 keeps `v` as an object: 12.5 ns instead of 10.
  const ceiling = round(real.largestFinite);
  for (let i = 0; i < count; i++) {
    const g = heap[grad + i]!;
    let v = heap[squareAvg + i]!;
    v = round(v + round(oneMinusAlpha * round(round(g * g) - v)));
    if (v > ceiling) v = ceiling;
    heap[squareAvg + i] = v;
    const root = round(Math.sqrt(epsInside === 0 ? v : round(v + epsInside)));
    const u = round(
      (updateScale === 1 ? g : round(updateScale * g)) / (eps === 0 ? root : round(root + eps)),
    );
    if (variant & MOMENTUM) {
      const m = round(round(momentum * heap[momentumBuffer + i]!) + u);
      heap[momentumBuffer + i] = m;
      heap[param + i] = heap[param + i]! - (bufferScale === 1 ? m : round(bufferScale * m));
    } else {
      heap[param + i] = heap[param + i]! - u;
    }
  }
}

/** Every variant, in the written order. */
function updateAny(heap: FloatArray, segment: Segment, scalars: Scalars, real: Real): void {
  const { round } = real;
  const shift = shiftOf(real);
  const { variant, alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
  const { gradScale, clipValue, decoupledDecay, weightDecay, correction } = scalars;
  const { zShare, stepShare, growth } = scalars;
  const byDifference = movesByDifference(scalars);
  const param = segment.param >>> shift;
  const grad = segment.grad >>> shift;
  const squareAvg = segment.squareAvg >>> shift;
  const momentumBuffer = segment.momentumBuffer >>> shift;
  const gradAvg = segment.gradAvg >>> shift;
  const points = segment.z >>> shift;
  const moved = segment.moved >>> shift;
  const ceiling = round(real.largestFinite);

  for (let i = 0; i < segment.count; i++) {
    const p = heap[param + i]!;
    let g = heap[grad + i]!;
    if (variant & (SHAPED | DECAYED)) g = round(g * gradScale);
    if (variant & SHAPED) {
      if (g < -clipValue) g = -clipValue;
      if (g > clipValue) g = clipValue;
    }
    if (variant & DECAYED) g = round(g + round(weightDecay * p));

    let v = heap[squareAvg + i]!;
    v = byDifference
      ? round(v + round(oneMinusAlpha * round(round(g * g) - v)))
      : round(round(alpha * v) + round(round(oneMinusAlpha * g) * g));
    if (v > ceiling) v = ceiling;
    heap[squareAvg + i] = v;
    if (variant & CENTERED) {
      let a = heap[gradAvg + i]!;
      a = byDifference
        ? round(a + round(oneMinusAlpha * round(g - a)))
        : round(round(alpha * a) + round(oneMinusAlpha * g));
      heap[gradAvg + i] = a;
      v = round(v - round(a * a));
      if (v < 0) v = 0;
    }
    if (variant & CORRECTED) v = round(v / correction);

    const d = round(round(Math.sqrt(round(v + epsInside))) + eps);
    let u = round(round(updateScale * g) / d);
    if (variant & MOMENTUM) {
      let m = round(round(momentum * heap[momentumBuffer + i]!) + u);
      heap[momentumBuffer + i] = m;
      if (variant & NESTEROV) m = round(u + round(momentum * m));
      u = round(bufferScale * m);
    }
    if (variant & DECOUPLED) u = round(u + round(decoupledDecay * p));
    if (variant & LEARNED) {
      const way = heap[moved + i]!;
      u = round(u - round(growth * way));
      heap[moved + i] = round(way - u);
    }
    if (variant & SCHEDULE_FREE) {
      const z = heap[points + i]!;
      heap[points + i] = round(z - u);
      u = round(round(stepShare * u) - round(zShare * round(z - p)));
    }
    heap[param + i] = round(p - u);
  }
}

function updateRows(heap: FloatArray, segment: Segment, scalars: Scalars, rows: Rows, real: Real): void {
  const { variant } = scalars;
  const isRowwise = (variant & ROWWISE) !== 0;
  const { now, averageKept, steps, moves } = rows;
  const { power } = real.arithmetic ?? DOUBLES;
  const words = new Uint32Array(heap.buffer);
  const factors = new Float64Array(heap.buffer, moves, moves === 0 ? 0 : rows.count * MOVES.length);
  for (let i = 0; i < rows.count; i++) {
    const row = words[(rows.ptr >>> 2) + i]!;
    const part = partOf(segment, row * segment.count, (row + 1) * segment.count, real.bytes);
    if (isRowwise) part.squareAvg = segment.squareAvg + row * real.bytes;
    const missed = steps === 0 ? 0 : now - words[(steps >>> 2) + (variant & BY_ROW ? row : i)]!;
    if (missed > 0) {
      const entry = factors.subarray(i * MOVES.length, (i + 1) * MOVES.length);
      catchUp(heap, part, variant, power(averageKept, missed), moves === 0 ? UNMOVED : entry, real);
    }
    if (!(variant & IDLE)) (isRowwise ? updateRow : update)(heap, part, scalars, real);
  }
}

/** A row with one mean square, as `assembly/rowwise.ts` describes it. */
function updateRow(heap: FloatArray, segment: Segment, scalars: Scalars, real: Real): void {
  const { round } = real;
  const shift = shiftOf(real);
  const { variant, alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
  const { gradScale, decoupledDecay, correction } = scalars;
  const { count } = segment;
  const param = segment.param >>> shift;
  const grad = segment.grad >>> shift;
  const squareAvg = segment.squareAvg >>> shift;
  const momentumBuffer = segment.momentumBuffer >>> shift;

  const square = round((sumOfSquares(heap, grad, count, 1) * (gradScale * gradScale)) / count);
  let v = heap[squareAvg]!;
  v = movesByDifference(scalars)
    ? round(v + round(oneMinusAlpha * round(square - v)))
    : round(round(alpha * v) + round(oneMinusAlpha * square));
  if (v > real.largestFinite) v = real.largestFinite;
  heap[squareAvg] = v;
  if (variant & CORRECTED) v = round(v / correction);
  const d = round(round(Math.sqrt(round(v + epsInside))) + eps);
  for (let i = 0; i < count; i++) {
    const p = heap[param + i]!;
    let u = round(round(updateScale * round(heap[grad + i]! * gradScale)) / d);
    if (variant & MOMENTUM) {
      let m = round(u + round(momentum * heap[momentumBuffer + i]!));
      heap[momentumBuffer + i] = m;
      if (variant & NESTEROV) m = round(u + round(momentum * m));
      u = round(bufferScale * m);
    }
    if (variant & DECOUPLED) u = round(u + round(decoupledDecay * p));
    heap[param + i] = round(p - u);
  }
  if (variant & FLUSHED) flush(heap, segmentAt(segment, 1), "squareAvg", real);
  follow(heap, segment, scalars, real);
}

/** The steps that a row has missed, by factors as `assembly/rows.ts` describes them. */
function catchUp(
  heap: FloatArray,
  segment: Segment,
  variant: number,
  averageKept: number,
  entry: ArrayLike<number>,
  real: Real,
): void {
  const [momentumKept, paramKept, paramOfMomentum, emaKept, emaOfParam, emaOfMomentum] = entry as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const shift = shiftOf(real);
  /** Rounds, and makes denormals 0. */
  const normal = (value: number) => {
    const rounded = real.round(value);
    return Math.abs(rounded) < real.smallestNormal ? 0 : rounded;
  };
  const places = segmentAt(segment, segment.count);
  for (const plane of PLANES) places[plane] = segment[plane] >>> shift;
  const { param, squareAvg, momentumBuffer, gradAvg, ema } = places;
  if (variant & ROWWISE) heap[squareAvg] = normal(averageKept * heap[squareAvg]!);
  for (let i = 0; i < segment.count; i++) {
    const p = heap[param + i]!;
    const m = heap[momentumBuffer + i]!;
    if (variant & AVERAGED) {
      let e = emaKept * heap[ema + i]!;
      if (emaOfParam !== 0) e += emaOfParam * p;
      if (emaOfMomentum !== 0) e += emaOfMomentum * m;
      heap[ema + i] = normal(e);
    }
    heap[param + i] = normal(paramOfMomentum === 0 ? paramKept * p : paramKept * p + paramOfMomentum * m);
    if (variant & MOMENTUM) heap[momentumBuffer + i] = normal(momentumKept * m);
    if (!(variant & ROWWISE)) heap[squareAvg + i] = normal(averageKept * heap[squareAvg + i]!);
    if (variant & CENTERED) heap[gradAvg + i] = normal(averageKept * heap[gradAvg + i]!);
  }
}

function flush(heap: FloatArray, segment: Segment, plane: Plane, real: Real): void {
  const { smallestNormal } = real;
  const start = segment[plane] >>> shiftOf(real);
  for (let i = start; i < start + segment.count; i++) {
    if (Math.abs(heap[i]!) < smallestNormal) heap[i] = 0;
  }
}

/** Moves the running average of the weights by a share of its distance from them. */
function average(heap: FloatArray, segment: Segment, weight: number, real: Real): void {
  const { round } = real;
  const shift = shiftOf(real);
  const param = segment.param >>> shift;
  const ema = segment.ema >>> shift;
  for (let i = 0; i < segment.count; i++) {
    const e = heap[ema + i]!;
    heap[ema + i] = round(weight * round(heap[param + i]! - e)) + e;
  }
}
