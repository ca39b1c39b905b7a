/** The layout of linear memory: alignment, limits, and the checks that bytes are inside it. */
import { show } from "../base/show.ts";
import { MemoryError } from "../errors.ts";

/** Elements that a report gives the kernel at a time, as copies of these planes. */
export const SCRATCH_COUNT = 512;
export const SCRATCH_PLANES = ["param", "grad", "squareAvg", "momentumBuffer", "gradAvg"] as const;
export const SCRATCH_BYTES = SCRATCH_PLANES.length * SCRATCH_COUNT * 4;

/** The first byte in use: the compiler may fold constants below it into addresses. */
export const FIRST_BYTE = 1024;
export const PAGE_BYTES = 65_536;
export const LIMIT_BYTES = 2 ** 32;
export const CACHE_LINE_BYTES = 64;
const TENSOR_ALIGN_BYTES = 16;

/**
 * The shift between neighbouring planes. Without it, planes of equal size would often start at the same offset modulo
 * 4096: a processor then takes a load for one that depends on the store before it, and all planes compete for the same
 * cache sets. With it, the loop is 1.3 times as fast with momentum or centered at 16 M elements.
 */
const STAGGER_BYTES = 576;
const ALIAS_BYTES = 4096;

/** Bytes from the start of one tensor to the start of the next. */
export function paddedByteLength(count: number): number {
  return Math.ceil((count * 4) / TENSOR_ALIGN_BYTES) * TENSOR_ALIGN_BYTES;
}

/** Whether threads can share a memory. The growth of such a memory leaves views as they are. */
export function isShared(memory: WebAssembly.Memory): boolean {
  return memory.buffer[Symbol.toStringTag] === ("SharedArrayBuffer" as string);
}

/** Checks that bytes are inside a memory. */
export function checkRange(name: string, ptr: unknown, byteLength: number, memoryBytes: number): void {
  if (typeof ptr !== "number" || !(ptr >= 0) || ptr % 4 !== 0) {
    throw new MemoryError(`${name}: got byte offset ${show(ptr)}, expected a multiple of 4 from 0 up.`);
  }
  if (ptr + byteLength > memoryBytes) {
    throw new MemoryError(
      `${name}: bytes ${ptr} to ${ptr + byteLength} lie outside the memory of ${memoryBytes} bytes.`,
    );
  }
}

/** The first cache line from `end` on whose offset is `index` staggers past a multiple of 4096. */
function staggered(end: number, index: number): number {
  const start = Math.ceil(end / CACHE_LINE_BYTES) * CACHE_LINE_BYTES;
  const shift = (index * STAGGER_BYTES - start) % ALIAS_BYTES;
  return start + ((shift + ALIAS_BYTES) % ALIAS_BYTES);
}

/**
 * Places planes of equal size one behind the other, from byte `from` on.
 *
 * @param planesBefore The number of planes already in the memory, with which the stagger goes on.
 */
export function layOut(
  from: number,
  planeCount: number,
  byteLength: number,
  planesBefore = 0,
): { ptrs: number[]; end: number } {
  let end = from;
  const ptrs = Array.from({ length: planeCount }, (_, i) => {
    const ptr = staggered(end, planesBefore + i);
    end = ptr + byteLength;
    return ptr;
  });
  return { ptrs, end };
}
