/**
 * The JavaScript backend: the mathematics of `assembly/` for one element at a time, with the same bits. The tests take
 * it for their oracle, and it runs wherever WebAssembly is forbidden. `Math.fround` after each operation makes it a
 * float32 operation; through double that is exact for + − × ÷ and the root, denormals included.
 */
import { LARGEST_FINITE, SMALLEST_NORMAL } from "../base/float32.ts";
import { BackendError } from "../errors.ts";
import {
  AVERAGED,
  BLOCK,
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  ENTRY,
  FLUSHED,
  LEARNED,
  MOMENTUM,
  movesByDifference,
  NESTEROV,
  type OpenKernel,
  type Rows,
  SCHEDULE_FREE,
  type Scalars,
  SHAPED,
  ZEROED,
} from "./contract.ts";
import { PLANES, partOf, type Segment } from "./segment.ts";

const f32 = Math.fround;

export const openReference: OpenKernel = (memory, wanted) => {
  if (wanted === "wasm") {
    throw new BackendError(
      'Backend "wasm" was asked for, but this entry has JavaScript only: import "rmsprop-wasm".',
    );
  }
  let heap = new Float32Array(memory.buffer);
  const current = () => {
    if (heap.buffer !== memory.buffer) heap = new Float32Array(memory.buffer);
    return heap;
  };
  return {
    backend: "js",
    update: (segment, scalars) => update(current(), segment, scalars),
    updateRows: (segment, scalars, rows) => updateRows(current(), segment, scalars, rows),
    catchUpRows: (segment, variant, rows) => catchUpRows(current(), segment, variant, rows),
    sumOfSquares: (grad, count) => sumOfSquares(current(), grad >>> 2, count),
  };
};

function update(heap: Float32Array, segment: Segment, scalars: Scalars): void {
  const { variant, emaWeight } = scalars;
  const { param, grad, squareAvg, momentumBuffer, gradAvg, ema, z, count } = segment;
  const isCommon = (variant & ~(MOMENTUM | AVERAGED | ZEROED | FLUSHED)) === 0 && movesByDifference(scalars);
  (isCommon ? updateCommon : updateAny)(heap, segment, scalars);
  if (variant & AVERAGED) average(heap, param >>> 2, ema >>> 2, count, emaWeight);
  if (variant & FLUSHED) {
    flush(heap, param >>> 2, count);
    flush(heap, squareAvg >>> 2, count);
    if (variant & MOMENTUM) flush(heap, momentumBuffer >>> 2, count);
    if (variant & CENTERED) flush(heap, gradAvg >>> 2, count);
    if (variant & AVERAGED) flush(heap, ema >>> 2, count);
    if (variant & SCHEDULE_FREE) flush(heap, z >>> 2, count);
  }
  if (variant & ZEROED) heap.fill(0, grad >>> 2, (grad >>> 2) + count);
}

/**
 * Plain and momentum, with no operation that neutral numbers let one leave out. A store rounds by itself. Most of the
 * time goes into rounding, for which engines convert to float32 and back: on a Zen 4 core the plain loop takes 1.5 times
 * as long as one in double, on a Sapphire Rapids core, with one converter, 2.9 times (2.1 with two elements a turn).
 */
function updateCommon(heap: Float32Array, segment: Segment, scalars: Scalars): void {
  const { variant, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
  const { count } = segment;
  const param = segment.param >>> 2;
  const grad = segment.grad >>> 2;
  const squareAvg = segment.squareAvg >>> 2;
  const momentumBuffer = segment.momentumBuffer >>> 2;
  // Bundlers make a `var` of a module's constant. Taken as it is, V8 keeps `v` as an object: 12.5 ns instead of 10.
  const ceiling = f32(LARGEST_FINITE);
  for (let i = 0; i < count; i++) {
    const g = heap[grad + i]!;
    let v = heap[squareAvg + i]!;
    v = f32(v + f32(oneMinusAlpha * f32(f32(g * g) - v)));
    if (v > ceiling) v = ceiling;
    heap[squareAvg + i] = v;
    const root = f32(Math.sqrt(epsInside === 0 ? v : f32(v + epsInside)));
    const u = f32((updateScale === 1 ? g : f32(updateScale * g)) / (eps === 0 ? root : f32(root + eps)));
    if (variant & MOMENTUM) {
      const m = f32(f32(momentum * heap[momentumBuffer + i]!) + u);
      heap[momentumBuffer + i] = m;
      heap[param + i] = heap[param + i]! - (bufferScale === 1 ? m : f32(bufferScale * m));
    } else {
      heap[param + i] = heap[param + i]! - u;
    }
  }
}

/** Every variant, in the written order. */
function updateAny(heap: Float32Array, segment: Segment, scalars: Scalars): void {
  const { variant, alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
  const { gradScale, clipValue, decoupledDecay, weightDecay, correction } = scalars;
  const { zShare, stepShare, x0Share } = scalars;
  const byDifference = movesByDifference(scalars);
  const param = segment.param >>> 2;
  const grad = segment.grad >>> 2;
  const squareAvg = segment.squareAvg >>> 2;
  const momentumBuffer = segment.momentumBuffer >>> 2;
  const gradAvg = segment.gradAvg >>> 2;
  const points = segment.z >>> 2;
  const x0 = segment.x0 >>> 2;
  const ceiling = f32(LARGEST_FINITE);

  for (let i = 0; i < segment.count; i++) {
    const p = heap[param + i]!;
    let g = heap[grad + i]!;
    if (variant & (SHAPED | DECAYED)) g = f32(g * gradScale);
    if (variant & SHAPED) {
      if (g < -clipValue) g = -clipValue;
      if (g > clipValue) g = clipValue;
    }
    if (variant & DECAYED) g = f32(g + f32(weightDecay * p));

    let v = heap[squareAvg + i]!;
    v = byDifference
      ? f32(v + f32(oneMinusAlpha * f32(f32(g * g) - v)))
      : f32(f32(alpha * v) + f32(f32(oneMinusAlpha * g) * g));
    if (v > ceiling) v = ceiling;
    heap[squareAvg + i] = v;
    if (variant & CORRECTED) v = f32(v / correction);

    if (variant & CENTERED) {
      let a = heap[gradAvg + i]!;
      a = byDifference
        ? f32(a + f32(oneMinusAlpha * f32(g - a)))
        : f32(f32(alpha * a) + f32(oneMinusAlpha * g));
      heap[gradAvg + i] = a;
      if (variant & CORRECTED) a = f32(a / correction);
      v = f32(v - f32(a * a));
      if (v < 0) v = 0;
    }

    const d = f32(f32(Math.sqrt(f32(v + epsInside))) + eps);
    let u = f32(f32(updateScale * g) / d);
    if (variant & MOMENTUM) {
      let m = f32(f32(momentum * heap[momentumBuffer + i]!) + u);
      heap[momentumBuffer + i] = m;
      if (variant & NESTEROV) m = f32(u + f32(momentum * m));
      u = f32(bufferScale * m);
    }
    if (variant & DECOUPLED) u = f32(u + f32(decoupledDecay * p));
    const z = variant & SCHEDULE_FREE ? heap[points + i]! : p;
    if (variant & LEARNED) u = f32(u - f32(x0Share * f32(heap[x0 + i]! - z)));
    if (variant & SCHEDULE_FREE) {
      heap[points + i] = f32(z - u);
      u = f32(f32(stepShare * u) - f32(zShare * f32(z - p)));
    }
    heap[param + i] = f32(p - u);
  }
}

function updateRows(heap: Float32Array, segment: Segment, scalars: Scalars, { ptr, count }: Rows): void {
  for (const row of new Uint32Array(heap.buffer, ptr, count)) {
    update(heap, partOf(segment, row * segment.count, (row + 1) * segment.count), scalars);
  }
}

/** The steps that rows have missed, by entries as `assembly/rows.ts` describes them. */
function catchUpRows(heap: Float32Array, segment: Segment, variant: number, { ptr, count }: Rows): void {
  const entries = new Float64Array(heap.buffer, ptr, count * ENTRY.length);
  for (let at = 0; at < entries.length; at += ENTRY.length) {
    const [row, averageKept, momentumKept, paramKept, paramOfMomentum, emaKept, emaOfParam, emaOfMomentum] =
      entries.subarray(at, at + ENTRY.length) as unknown as FactorsOfEntry;
    const start = row * segment.count;
    const places = { ...segment };
    for (const plane of PLANES) places[plane] = (segment[plane] >>> 2) + start;
    const { param, squareAvg, momentumBuffer, gradAvg, ema } = places;
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
      heap[squareAvg + i] = normal(averageKept * heap[squareAvg + i]!);
      if (variant & CENTERED) heap[gradAvg + i] = normal(averageKept * heap[gradAvg + i]!);
    }
  }
}

type FactorsOfEntry = [number, number, number, number, number, number, number, number];

/** Rounds to float32, and denormals to 0. */
function normal(value: number): number {
  const rounded = f32(value);
  return Math.abs(rounded) < SMALLEST_NORMAL ? 0 : rounded;
}

/** Moves the running average of the weights towards them. */
function average(heap: Float32Array, param: number, ema: number, count: number, emaWeight: number): void {
  for (let i = 0; i < count; i++) {
    const e = heap[ema + i]!;
    heap[ema + i] = e + f32(emaWeight * f32(heap[param + i]! - e));
  }
}

function flush(heap: Float32Array, start: number, count: number): void {
  for (let i = start; i < start + count; i++) {
    if (Math.abs(heap[i]!) < SMALLEST_NORMAL) heap[i] = 0;
  }
}

function sumOfSquares(heap: Float32Array, grad: number, count: number): number {
  let sum = 0;
  for (let start = 0; start < count; start += BLOCK) {
    sum += sumOfBlock(heap.subarray(grad + start, grad + Math.min(start + BLOCK, count)));
  }
  return sum;
}

function sumOfBlock(block: Float32Array): number {
  const partial = new Float64Array(8);
  const whole = block.length - (block.length % 8);
  for (let i = 0; i < whole; i++) partial[i % 8]! += block[i]! * block[i]!;
  const [s0, s1, s2, s3, s4, s5, s6, s7] = partial as unknown as number[];
  let sum = s0! + s2! + (s4! + s6!) + (s1! + s3! + (s5! + s7!));
  for (let i = whole; i < block.length; i++) sum += block[i]! * block[i]!;
  return sum;
}
