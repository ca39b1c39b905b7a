/** Views of tensors that follow a memory which grows. */

/** A tensor's place, and the view of it that was handed out last. */
export class Place {
  #view: Float32Array | undefined;

  constructor(
    private readonly memory: WebAssembly.Memory,
    readonly byteOffset: number,
    readonly count: number,
    /** A view of it that a caller holds already. */
    view?: Float32Array,
  ) {
    this.#view = view;
  }

  /** A view over the memory as it is now. Growing a memory empties every view made before. */
  get view(): Float32Array {
    // Dead views are shorter, and those that follow a resizable buffer's length may be longer.
    if (this.#view?.length !== this.count) {
      this.#view = new Float32Array(this.memory.buffer, this.byteOffset, this.count);
    }
    return this.#view;
  }

  /** Whether the view that a caller holds has died. Never true before one was handed out. */
  get isStale(): boolean {
    return this.#view?.length === 0;
  }
}
