/** Views of tensors, made anew when their memory grows. */

import type { FloatArray, Real } from "../base/real.ts";

/** The place of a tensor, and the view of it that was handed out last. */
export class Place {
  #view: FloatArray | undefined;

  constructor(
    private readonly real: Real,
    private readonly memory: WebAssembly.Memory,
    readonly byteOffset: number,
    readonly count: number,
    /** A view of the place that a caller holds already. */
    view?: FloatArray,
  ) {
    this.#view = view;
  }

  /** A view over the memory as it is now. Growing a memory empties every view made before. */
  get view(): FloatArray {
    // Dead views are shorter, and those that follow a resizable buffer's length may be longer.
    if (this.#view?.length !== this.count) {
      this.#view = new this.real.Array(this.memory.buffer, this.byteOffset, this.count);
    }
    return this.#view;
  }

  /** Whether the view that a caller holds has died. False as long as none was handed out. */
  get isStale(): boolean {
    return this.#view?.length === 0;
  }
}

/**
 * Whether a view may be of this memory, whose growth or use would then change its elements. Of a memory that threads share,
 * views made before it grew have another buffer.
 */
export function mayBeOf({ buffer }: WebAssembly.Memory, view: ArrayBufferView): boolean {
  return view.buffer === buffer || !(view.buffer instanceof ArrayBuffer);
}

/** Elements at a time, so that an exchange needs no copy of a whole tensor. */
const EXCHANGED = 4096;

/** Exchanges the elements of two arrays of one length, bit by bit. */
export function exchange(a: FloatArray, b: FloatArray): void {
  const kept = a.slice(0, EXCHANGED);
  for (let from = 0; from < a.length; from += EXCHANGED) {
    const [partOfA, partOfB] = [a, b].map((array) => array.subarray(from, from + EXCHANGED));
    kept.set(partOfA!);
    partOfA!.set(partOfB!);
    partOfB!.set(kept.subarray(0, partOfB!.length));
  }
}
