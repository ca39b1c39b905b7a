/**
 * Where tensors lie in linear memory. A group's tensors stand back to back in planes, the same order in each, so
 * that one kernel call updates them all:
 *
 *     1024      param plane            grad plane             squareAvg plane        (momentumBuffer, gradAvg)
 *     ┆─────────│ w1 · b1 · w2 · b2 │──│ w1 · b1 · w2 · b2 │──│ w1 · b1 · w2 · b2 │──…
 *               64-byte aligned        each tensor 16-byte aligned, zeros between
 */
import { MemoryError } from "./errors.ts";

/** The compiler may fold constants below this into addresses, so nothing lies lower. */
const FIRST_BYTE = 1024;
const PAGE_BYTES = 65_536;
const LIMIT_BYTES = 2 ** 32;
const CACHE_LINE_BYTES = 64;
const TENSOR_ALIGN_BYTES = 16;

/**
 * Planes of equal size would often start at the same offset modulo 4096, where a processor takes a load for one
 * that depends on the store before it, and where all compete for the same cache sets. This shift between
 * neighbours keeps the loop 1.3 times as fast with momentum or centered at 16 M elements.
 */
const STAGGER_BYTES = 576;
const ALIAS_BYTES = 4096;

/** Bytes from one tensor's start to the next one's. */
export function paddedByteLength(count: number): number {
  return Math.ceil((count * 4) / TENSOR_ALIGN_BYTES) * TENSOR_ALIGN_BYTES;
}

export class Arena {
  #memory: WebAssembly.Memory | undefined;
  readonly #isShared: boolean;
  #end = FIRST_BYTE;
  #planes = 0;
  /** Over the memory as it was when growth was last accepted; a growth empties it. */
  #probe: Uint8Array | undefined;

  constructor({ isShared = false } = {}) {
    this.#isShared = isShared;
  }

  /**
   * Made when it is first asked for, as large as what was placed by then. Not grown to that size: after the first
   * growth anywhere in a program, V8 checks every typed array for having been emptied, and all JavaScript loops of
   * the program run slower by a fifth.
   */
  get memory(): WebAssembly.Memory {
    this.#memory ??= allocateMemory(this.#end, this.#isShared);
    return this.#memory;
  }

  /** Places planes of `byteLength` zeros and gives their addresses: all of them, or an error and none. */
  allocatePlanes(planeCount: number, byteLength: number): number[] {
    const ptrs: number[] = [];
    let end = this.#end;
    for (let i = 0; i < planeCount; i++) {
      const start = staggered(end, this.#planes + i);
      ptrs.push(start);
      end = start + byteLength;
    }
    if (end > LIMIT_BYTES) {
      throw new MemoryError(
        `The parameters and their state need ${mebibytes(end)}; a WebAssembly memory holds at most 4096 MiB. Use fewer parameters, or several optimizers.`,
      );
    }
    if (this.#memory) grow(this.#memory, end);
    this.#end = end;
    this.#planes += planeCount;
    return ptrs;
  }

  /** Whether views made earlier may have died. Asked before each step, so it costs no call into the engine. */
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
    return new WebAssembly.Memory({ initial });
  } catch (cause) {
    // Some phones don't reserve 4 GiB of addresses, which a shared memory takes from the start.
    if (isShared) return allocateMemory(byteLength, false);
    throw noMemory(byteLength, cause);
  }
}

function grow(memory: WebAssembly.Memory, byteLength: number): void {
  const missing = byteLength - memory.buffer.byteLength;
  if (missing <= 0) return;
  try {
    memory.grow(Math.ceil(missing / PAGE_BYTES));
  } catch (cause) {
    throw noMemory(byteLength, cause);
  }
}

function noMemory(byteLength: number, cause: unknown): MemoryError {
  return new MemoryError(
    `There is no memory of ${mebibytes(byteLength)} to be had: ${cause}. Free memory, or use fewer parameters.`,
    { cause },
  );
}

function mebibytes(byteLength: number): string {
  return `${(byteLength / 2 ** 20).toFixed(1)} MiB`;
}

/** The first cache line from `end` on that is `index` staggers past a multiple of 4096. */
function staggered(end: number, index: number): number {
  const start = Math.ceil(end / CACHE_LINE_BYTES) * CACHE_LINE_BYTES;
  const shift = (index * STAGGER_BYTES - start) % ALIAS_BYTES;
  return start + ((shift + ALIAS_BYTES) % ALIAS_BYTES);
}

/** A tensor's place, and the view of it that was handed out last. */
export class Place {
  #view: Float32Array | undefined;

  constructor(
    private readonly memory: WebAssembly.Memory,
    readonly byteOffset: number,
    readonly count: number,
  ) {}

  /** A view over the memory as it is now. Growing a memory empties every view made before. */
  get view(): Float32Array {
    if (this.#view === undefined || this.isStale) {
      this.#view = new Float32Array(this.memory.buffer, this.byteOffset, this.count);
    }
    return this.#view;
  }

  /** Whether the view that a caller holds has died. Never true before one was handed out. */
  get isStale(): boolean {
    return this.#view?.length === 0;
  }
}
