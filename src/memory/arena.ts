/**
 * Places tensors in linear memory. A group's tensors stand back to back in planes, in the same order in each plane, so
 * that one kernel call updates them all:
 *
 *     param plane            grad plane             squareAvg plane        (momentumBuffer, gradAvg)
 *     │ w1 · b1 · w2 · b2 │──│ w1 · b1 · w2 · b2 │──│ w1 · b1 · w2 · b2 │──…
 *     64-byte aligned        each tensor 16-byte aligned, zeros between
 *
 * Nobody owns a memory's pages but whoever made or grew them, so an arena places only behind its last placement, to the end
 * of the pages that it made itself.
 */

import type { FloatArray, Real } from "../base/real.ts";
import { MemoryError } from "../errors.ts";
import {
  checkMemory,
  FIRST_BYTE,
  type Layout,
  LIMIT_BYTES,
  layOut,
  MAX_GAP_BYTES,
  PAGE_BYTES,
} from "./layout.ts";
import { PlainMemory } from "./plain-memory.ts";
import { joined, type Range, rangeAt } from "./ranges.ts";

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
  /** Whether threads can share its memory. */
  readonly isShared: boolean;
  #memory: WebAssembly.Memory | undefined;
  /** The free bytes, from the end of the last placement to the end of the pages that this arena made. */
  #end = FIRST_BYTE;
  #ownedTo = 0;
  /** Bytes behind the end that a memory is made with. */
  #room = 0;
  #planes = 0;
  /** With `allocate`: all bytes in use, against which each further address is checked. */
  #taken: readonly Range[] = [];
  /** A view of the memory as it was when growth was last accepted; the next growth empties it. */
  #probe: Uint8Array | undefined;

  /**
   * Without a memory the arena makes one of its own, which threads can share if `isShared`; without an allocator it places
   * planes on freshly grown pages.
   */
  constructor(
    readonly real: Real,
    memory: WebAssembly.Memory | undefined,
    allocate: Allocate | undefined,
    isShared: boolean,
  ) {
    if (memory) checkMemory(memory);
    this.#memory = memory;
    this.#allocate = allocate;
    this.isShared = isShared;
    this.#isOwn = memory === undefined;
  }

  /**
   * Made at the first read, with room for all that was placed by then. Growing a small memory to that size was rejected:
   * after the first growth anywhere in a program, V8 checks every typed array for having been emptied, and all JavaScript
   * loops of the program run slower by a fifth.
   */
  get memory(): WebAssembly.Memory {
    if (!this.#memory) {
      this.#memory = allocateMemory(Math.min(this.#end + this.#room, LIMIT_BYTES), this.isShared);
      this.#ownedTo = this.#memory.buffer.byteLength;
    }
    return this.#memory;
  }

  /**
   * Places planes of zeros, each of so many bytes, and gives their addresses: all of them in one reservation, or an error
   * and none.
   */
  allocatePlanes(byteLengths: readonly number[]): number[] {
    if (byteLengths.length === 0) return [];
    const ptrs = this.#allocate ? this.#ask(this.#allocate, byteLengths) : this.#place(byteLengths);
    // Bytes that others have used before aren't zero, and neither need those of an allocator be.
    if (!this.#isOwn) {
      const bytes = new Uint8Array(this.memory.buffer);
      ptrs.forEach((ptr, i) => void bytes.fill(0, ptr, ptr + byteLengths[i]!));
    }
    return ptrs;
  }

  /**
   * Makes the memory larger, if it is still to be made here, by planes that may be placed later. Nobody writes to those pages
   * until then, so they take addresses and no memory.
   */
  leaveRoom(byteLengths: readonly number[]): void {
    if (!this.#memory)
      this.#room = byteLengths.reduce((sum, byteLength) => sum + byteLength + MAX_GAP_BYTES, 0);
  }

  /** Checks that the tensors to adopt are inside the memory, apart from each other, and gives their byte offsets. */
  adopt(places: readonly { name: string; place: FloatArray | number; count: number }[]): readonly number[] {
    const { buffer } = this.memory;
    const { bytes } = this.real;
    const ranges = places.map(({ name, place, count }) => {
      if (typeof place !== "number" && place.buffer !== buffer) {
        throw new MemoryError(
          `${name} is a view of another memory than options.memory, or of that memory before it grew: take the view anew.`,
        );
      }
      const given = typeof place === "number" ? place : place.byteOffset;
      return rangeAt(name, given, count * bytes, buffer.byteLength, bytes);
    });
    this.#taken = joined(this.#taken, ranges);
    return ranges.map(({ ptr }) => ptr);
  }

  /** Asks the caller's allocator, and believes nothing that it says. */
  #ask(allocate: Allocate, byteLengths: readonly number[]): number[] {
    const given = byteLengths.map((byteLength) => allocate(byteLength));
    const ranges = given.map((ptr, i) => {
      const byteLength = byteLengths[i]!;
      const name = `What options.allocate gave for ${byteLength} bytes`;
      if (ptr === 0) {
        throw new MemoryError(`${name}: got byte offset 0, which says that the module has no room left.`);
      }
      return rangeAt(name, ptr, byteLength, this.memory.buffer.byteLength, this.real.bytes);
    });
    this.#taken = joined(this.#taken, ranges);
    return ranges.map(({ ptr }) => ptr);
  }

  #place(byteLengths: readonly number[]): number[] {
    const layOutFrom = (from: number) => layOut(from, byteLengths, this.#planes);
    let placed = layOutFrom(this.#end);
    checkLimit(placed.end);
    const isStillToBeMade = this.#isOwn && !this.#memory; // at the size that this comes to
    if (!isStillToBeMade && placed.end > this.#ownedTo) placed = this.#placeOnNewPages(placed, layOutFrom);
    this.#end = placed.end;
    this.#planes += byteLengths.length;
    return placed.ptrs;
  }

  /**
   * Adds to this arena's pages while they are the memory's last, else takes new ones. Others may grow the memory at any
   * moment, on other threads too, so only what `grow` gives says which pages it has made.
   */
  #placeOnNewPages(placed: Layout, layOutFrom: (from: number) => Layout): Layout {
    const { memory } = this;
    const separately = pagesOf(layOutFrom(FIRST_BYTE).end);
    const isLast = memory.buffer.byteLength === this.#ownedTo;
    for (let pages = isLast ? pagesOf(placed.end - this.#ownedTo) : separately; ; pages = separately) {
      const start = grow(memory, pages);
      const ownedTo = start + pages * PAGE_BYTES;
      const found = start === this.#ownedTo ? placed : layOutFrom(start + FIRST_BYTE);
      if (found.end > ownedTo) continue;
      this.#ownedTo = ownedTo;
      return found;
    }
  }

  /** Whether views made earlier may have died. Read before each step, so it avoids a call into the engine. */
  get hasGrown(): boolean {
    return this.#probe === undefined || this.#probe.length === 0;
  }

  acceptGrowth(): void {
    this.#probe = new Uint8Array(this.memory.buffer);
  }
}

/** Bytes that a shared memory can grow by beyond the state that its optimizer may yet need: for its callers. */
const SPARE_BYTES = 2 ** 24;

function allocateMemory(byteLength: number, isShared: boolean): WebAssembly.Memory {
  const initial = pagesOf(byteLength);
  // Addresses up to the maximum are reserved from the start. Parameters, gradients and squareAvg are there, momentumBuffer
  // and gradAvg may come, so that twice as much is enough.
  const maximum = Math.min(2 * initial + pagesOf(SPARE_BYTES), LIMIT_BYTES / PAGE_BYTES);
  try {
    if (isShared) return new WebAssembly.Memory({ initial, maximum, shared: true });
    if (typeof WebAssembly === "undefined") return new PlainMemory({ initial }) as WebAssembly.Memory;
    return new WebAssembly.Memory({ initial });
  } catch (cause) {
    // Some phones don't reserve the addresses that a shared memory takes from the start.
    if (isShared) return allocateMemory(byteLength, false);
    throw noMemory(byteLength, cause);
  }
}

/** Adds pages, and gives the byte at which they begin. */
function grow(memory: WebAssembly.Memory, pages: number): number {
  try {
    return memory.grow(pages) * PAGE_BYTES;
  } catch (cause) {
    throw noMemory(memory.buffer.byteLength + pages * PAGE_BYTES, cause);
  }
}

function pagesOf(byteLength: number): number {
  return Math.ceil(byteLength / PAGE_BYTES);
}

function checkLimit(end: number): void {
  if (end > LIMIT_BYTES) {
    throw new MemoryError(
      `The parameters and their state need ${mebibytes(end)}; a memory holds at most 4096 MiB: use several optimizers.`,
    );
  }
}

/** Engines reserve 8 GiB of addresses for each memory, whatever its size: a page of Chromium has room for 125, Firefox for 999. */
function noMemory(byteLength: number, cause: unknown): MemoryError {
  return new MemoryError(
    `There is no memory of ${mebibytes(byteLength)}: ${cause}. Use fewer parameters, dispose() of finished optimizers, or give several one shared \`memory\`.`,
    { cause },
  );
}

function mebibytes(byteLength: number): string {
  return `${(byteLength / 2 ** 20).toFixed(1)} MiB`;
}
