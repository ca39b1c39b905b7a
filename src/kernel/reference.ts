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
  MOMENTUM,
  NESTEROV,
  type OpenKernel,
  type Scalars,
  SHAPED,
  ZEROED,
} from "./contract.ts";
import type { Segment } from "./segment.ts";

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
    sumOfSquares: (grad, count) => sumOfSquares(current(), grad >>> 2, count),
  };
};

function update(heap: Float32Array, segment: Segment, scalars: Scalars): void {
  const { variant, alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
  const { gradScale, clipValue, paramScale, weightDecay, correction, emaWeight } = scalars;
  const param = segment.param >>> 2;
  const grad = segment.grad >>> 2;
  const squareAvg = segment.squareAvg >>> 2;
  const momentumBuffer = segment.momentumBuffer >>> 2;
  const gradAvg = segment.gradAvg >>> 2;
  const ema = segment.ema >>> 2;

  for (let i = 0; i < segment.count; i++) {
    let p = heap[param + i]!;
    let g = heap[grad + i]!;
    if (variant & (SHAPED | DECAYED)) g = f32(g * gradScale);
    if (variant & SHAPED) {
      if (g < -clipValue) g = -clipValue;
      if (g > clipValue) g = clipValue;
      p = f32(p * paramScale);
    }
    if (variant & DECAYED) g = f32(g + f32(weightDecay * p));

    let v = heap[squareAvg + i]!;
    v = f32(f32(alpha * v) + f32(f32(oneMinusAlpha * g) * g));
    if (v < SMALLEST_NORMAL) v = 0;
    if (v > LARGEST_FINITE) v = LARGEST_FINITE;
    heap[squareAvg + i] = v;
    if (variant & CORRECTED) v = f32(v / correction);

    if (variant & CENTERED) {
      let a = heap[gradAvg + i]!;
      a = f32(f32(alpha * a) + f32(oneMinusAlpha * g));
      if (Math.abs(a) < SMALLEST_NORMAL) a = 0;
      heap[gradAvg + i] = a;
      if (variant & CORRECTED) a = f32(a / correction);
      v = f32(v - f32(a * a));
      if (v < 0) v = 0;
    }

    const d = f32(f32(Math.sqrt(f32(v + epsInside))) + eps);
    const u = f32(f32(updateScale * g) / d);
    if (variant & MOMENTUM) {
      let m = f32(f32(momentum * heap[momentumBuffer + i]!) + u);
      heap[momentumBuffer + i] = m;
      if (variant & NESTEROV) m = f32(u + f32(momentum * m));
      p = f32(p - f32(bufferScale * m));
    } else {
      p = f32(p - u);
    }
    heap[param + i] = p;

    if (variant & AVERAGED) {
      const e = heap[ema + i]!;
      heap[ema + i] = f32(e + f32(emaWeight * f32(p - e)));
    }
    if (variant & ZEROED) heap[grad + i] = 0;
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
