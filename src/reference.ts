/**
 * The JavaScript backend: the mathematics of `assembly/rmsprop.ts` for one element at a time, with the same bits.
 * It is the oracle of the tests, and what runs where WebAssembly is forbidden. `Math.fround` after each operation
 * makes it a float32 operation; through double that is exact for + − × ÷ and the root, denormals included.
 */
import { BackendError } from "./errors.ts";
import {
  CENTERED,
  type Kernel,
  MOMENTUM,
  type OpenKernel,
  type Scalars,
  type Segment,
  SHAPED,
} from "./kernel.ts";

const f32 = Math.fround;
const SMALLEST_NORMAL = 2 ** -126;
const LARGEST_FINITE = (2 - 2 ** -23) * 2 ** 127;

export const openReference: OpenKernel = (memory, wanted) => {
  if (wanted === "wasm") {
    throw new BackendError(
      'Backend "wasm" was asked for, but this entry has JavaScript only: import "rmsprop-wasm".',
    );
  }
  let heap = new Float32Array(memory.buffer);
  return {
    backend: "js",
    update(segment, scalars) {
      if (heap.buffer !== memory.buffer) heap = new Float32Array(memory.buffer);
      update(heap, segment, scalars);
    },
  } satisfies Kernel;
};

function update(heap: Float32Array, segment: Segment, scalars: Scalars): void {
  const { variant, alpha, oneMinusAlpha, eps, updateScale, momentum, bufferScale, gradScale, weightDecay } =
    scalars;
  const param = segment.param / 4;
  const grad = segment.grad / 4;
  const squareAvg = segment.squareAvg / 4;
  const momentumBuffer = segment.momentumBuffer / 4;
  const gradAvg = segment.gradAvg / 4;

  for (let i = 0; i < segment.count; i++) {
    const p = heap[param + i]!;
    let g = heap[grad + i]!;
    if (variant & SHAPED) {
      g = f32(g * gradScale);
      if (weightDecay !== 0) g = f32(g + f32(weightDecay * p));
    }

    let v = heap[squareAvg + i]!;
    v = f32(f32(alpha * v) + f32(f32(oneMinusAlpha * g) * g));
    if (v < SMALLEST_NORMAL) v = 0;
    if (v > LARGEST_FINITE) v = LARGEST_FINITE;
    heap[squareAvg + i] = v;

    let q = v;
    if (variant & CENTERED) {
      let a = heap[gradAvg + i]!;
      a = f32(f32(alpha * a) + f32(oneMinusAlpha * g));
      if (Math.abs(a) < SMALLEST_NORMAL) a = 0;
      heap[gradAvg + i] = a;
      q = f32(v - f32(a * a));
      if (q < 0) q = 0;
    }

    const d = f32(f32(Math.sqrt(q)) + eps);
    const u = f32(f32(updateScale * g) / d);
    if (variant & MOMENTUM) {
      const m = f32(f32(momentum * heap[momentumBuffer + i]!) + u);
      heap[momentumBuffer + i] = m;
      heap[param + i] = f32(p - f32(bufferScale * m));
    } else {
      heap[param + i] = f32(p - u);
    }
  }
}
