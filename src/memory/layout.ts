/** The layout of linear memory: alignment and limits. */
import { MemoryError } from "../errors.ts";

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
/** The most that is left free before a plane. */
export const MAX_GAP_BYTES = ALIAS_BYTES + CACHE_LINE_BYTES;

/** Bytes from the start of one tensor to the start of the next. */
export function paddedByteLength(count: number, elementBytes: number): number {
  return Math.ceil((count * elementBytes) / TENSOR_ALIGN_BYTES) * TENSOR_ALIGN_BYTES;
}

/** Whether threads can share a memory. The growth of such a memory leaves views as they are. */
export function isShared(memory: WebAssembly.Memory): boolean {
  return memory.buffer[Symbol.toStringTag] === ("SharedArrayBuffer" as string);
}

/** Refuses a memory with 64-bit addresses. */
export function checkMemory(memory: WebAssembly.Memory): void {
  try {
    // More pages than there can be, so that no memory grows: one with 64-bit addresses takes a bigint alone.
    memory.grow(2 ** 32 - 1);
  } catch (error) {
    if ((error as Error).name !== "TypeError") return;
    throw new MemoryError(
      'The memory has 64-bit addresses, which are not supported: make it without { address: "i64" }, and modules without memory64.',
    );
  }
}

/** The first cache line from `end` on whose offset is `index` staggers past a multiple of 4096. */
function staggered(end: number, index: number): number {
  const start = Math.ceil(end / CACHE_LINE_BYTES) * CACHE_LINE_BYTES;
  const shift = (index * STAGGER_BYTES - start) % ALIAS_BYTES;
  return start + ((shift + ALIAS_BYTES) % ALIAS_BYTES);
}

/** Addresses of planes, and the end of the last one. */
export interface Layout {
  readonly ptrs: number[];
  readonly end: number;
}

/**
 * Places planes one behind the other, from byte `from` on.
 *
 * @param byteLengths The size of each plane.
 * @param planesBefore The number of planes already in the memory, with which the stagger goes on.
 */
export function layOut(from: number, byteLengths: readonly number[], planesBefore = 0): Layout {
  let end = from;
  const ptrs = byteLengths.map((byteLength, i) => {
    const ptr = staggered(end, planesBefore + i);
    end = ptr + byteLength;
    return ptr;
  });
  return { ptrs, end };
}
