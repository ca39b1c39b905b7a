/**
 * Places tensors in linear memory. A group's tensors stand back to back in planes, in the same order in each plane, so
 * that one kernel call updates them all:
 *
 *     1024      param plane            grad plane             squareAvg plane        (momentumBuffer, gradAvg)
 *     ┆─────────│ w1 · b1 · w2 · b2 │──│ w1 · b1 · w2 · b2 │──│ w1 · b1 · w2 · b2 │──…
 *     scratch   64-byte aligned        each tensor 16-byte aligned, zeros between
 */

import { MemoryError } from "../errors.ts";
import { checkRange, FIRST_BYTE, LIMIT_BYTES, layOut, PAGE_BYTES, SCRATCH_BYTES } from "./layout.ts";
import { PlainMemory } from "./plain-memory.ts";

declare global {
  namespace WebAssembly {
    // TypeScript declares this with the DOM, and the line adds nothing to that. Projects for Node leave the DOM out; in
    // those, this package's declarations would be errors without it.
    interface Memory {}
  }
}

/**
 * Allocates `byteLength` bytes in the memory and gives their byte offset, as C's `malloc` does; an alignment of 16 bytes is
 * the fastest.
 */
export type Allocate = (byteLength: number) => number;

export class Arena {
  readonly #allocate: Allocate | undefined;
  readonly #isOwn: boolean;
  readonly #isShared: boolean;
  #memory: WebAssembly.Memory | undefined;
  #scratch: number | undefined;
  #end = FIRST_BYTE + SCRATCH_BYTES;
  #planes = 0;
  /** The end of the pages that this arena last added to another's memory. */
  #grownTo = 0;
  /** A view of the memory as it was when growth was last accepted; the next growth empties it. */
  #probe: Uint8Array | undefined;

  /**
   * Without a memory the arena makes one of its own, which threads can share if `isShared`; without an allocator it places
   * planes on freshly grown pages.
   */
  constructor(memory: WebAssembly.Memory | undefined, allocate: Allocate | undefined, isShared: boolean) {
    this.#memory = memory;
    this.#allocate = allocate;
    this.#isShared = isShared;
    this.#isOwn = memory === undefined;
  }

  /**
   * Made at the first read, with room for all that was placed by then. Growing a small memory to that size was rejected:
   * after the first growth anywhere in a program, V8 checks every typed array for having been emptied, and all JavaScript
   * loops of the program run slower by a fifth.
   */
  get memory(): WebAssembly.Memory {
    this.#memory ??= allocateMemory(this.#end, this.#isShared);
    return this.#memory;
  }

  /**
   * The byte offset of `SCRATCH_BYTES` for reports alone. A memory of the arena's own always has them, since growing it for
   * a report would empty the caller's views. In another's memory they are placed at the first read.
   */
  get scratch(): number {
    this.#scratch ??= this.#isOwn ? FIRST_BYTE : this.allocatePlanes(1, SCRATCH_BYTES)[0]!;
    return this.#scratch;
  }

  /** Places planes of `byteLength` zeros and gives their addresses: all of them, or an error and none. */
  allocatePlanes(planeCount: number, byteLength: number): number[] {
    if (planeCount === 0 || byteLength === 0) return Array.from({ length: planeCount }, () => 0);
    const ptrs = this.#allocate
      ? Array.from({ length: planeCount }, () => this.#ask(this.#allocate!, byteLength))
      : this.#place(planeCount, byteLength);
    // Bytes that others have used before aren't zero, and neither need those of an allocator be.
    if (!this.#isOwn) for (const ptr of ptrs) new Uint8Array(this.memory.buffer, ptr, byteLength).fill(0);
    return ptrs;
  }

  /** Checks that the tensors to adopt are inside the memory, apart from each other. */
  checkAdopted(ranges: readonly { name: string; place: Float32Array | number; count: number }[]): void {
    const { buffer } = this.memory;
    const located = ranges.map(({ name, place, count }) => {
      if (typeof place !== "number" && place.buffer !== buffer) {
        throw new MemoryError(
          `${name} is a view of another memory than options.memory, or of that memory before it grew: take the view anew.`,
        );
      }
      const ptr = typeof place === "number" ? place : place.byteOffset;
      checkRange(name, ptr, count * 4, buffer.byteLength);
      return { name, ptr, end: ptr + count * 4 };
    });
    located
      .sort((a, b) => a.ptr - b.ptr)
      .reduce((before, next) => {
        if (before.end > next.ptr) {
          throw new MemoryError(
            `${next.name} at byte ${next.ptr} overlaps ${before.name}, which takes bytes ${before.ptr} to ${before.end}.`,
          );
        }
        return next;
      });
  }

  #ask(allocate: Allocate, byteLength: number): number {
    const ptr = allocate(byteLength);
    checkRange(
      `What options.allocate gave for ${byteLength} bytes`,
      ptr,
      byteLength,
      this.memory.buffer.byteLength,
    );
    return ptr;
  }

  #place(planeCount: number, byteLength: number): number[] {
    let { ptrs, end } = layOut(this.#end, planeCount, byteLength, this.#planes);
    if (end > LIMIT_BYTES) {
      throw new MemoryError(
        `The parameters and their state need ${mebibytes(end)}; a WebAssembly memory holds at most 4096 MiB. Use several optimizers.`,
      );
    }
    if (this.#isOwn) {
      if (this.#memory) grow(this.#memory, end - this.#memory.buffer.byteLength);
    } else if (end > this.#grownTo) {
      // New pages, wherever the memory ends by now: others may grow it too, even at this moment on other threads.
      const fresh = layOut(FIRST_BYTE, planeCount, byteLength, this.#planes);
      const base = grow(this.memory, fresh.end);
      ptrs = fresh.ptrs.map((ptr) => base + ptr);
      end = base + fresh.end;
      this.#grownTo = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
    }
    this.#end = end;
    this.#planes += planeCount;
    return ptrs;
  }

  /** Whether views made earlier may have died. Read before each step, so it avoids a call into the engine. */
  get hasGrown(): boolean {
    return this.#probe === undefined || this.#probe.length === 0;
  }

  acceptGrowth(): void {
    this.#probe = new Uint8Array(this.memory.buffer);
  }
}

function allocateMemory(byteLength: number, isShared: boolean): WebAssembly.Memory {
  const initial = Math.ceil(byteLength / PAGE_BYTES);
  try {
    if (isShared) return new WebAssembly.Memory({ initial, maximum: LIMIT_BYTES / PAGE_BYTES, shared: true });
    if (typeof WebAssembly === "undefined") return new PlainMemory({ initial }) as WebAssembly.Memory;
    return new WebAssembly.Memory({ initial });
  } catch (cause) {
    // Some phones don't reserve the addresses that a shared memory takes from the start.
    if (isShared) return allocateMemory(byteLength, false);
    throw noMemory(byteLength, cause);
  }
}

/** Adds pages for `byteLength` bytes, and gives the byte at which they begin. */
function grow(memory: WebAssembly.Memory, byteLength: number): number {
  if (byteLength <= 0) return memory.buffer.byteLength;
  try {
    return memory.grow(Math.ceil(byteLength / PAGE_BYTES)) * PAGE_BYTES;
  } catch (cause) {
    throw noMemory(memory.buffer.byteLength + byteLength, cause);
  }
}

function noMemory(byteLength: number, cause: unknown): MemoryError {
  return new MemoryError(
    `There is no memory of ${mebibytes(byteLength)} to be had: ${cause}. Use fewer parameters.`,
    { cause },
  );
}

function mebibytes(byteLength: number): string {
  return `${(byteLength / 2 ** 20).toFixed(1)} MiB`;
}
