/** Views of tensors, made anew when their memory grows. */

/** The place of a tensor, and the view of it that was handed out last. */
export class Place {
  #view: Float32Array | undefined;

  constructor(
    private readonly memory: WebAssembly.Memory,
    readonly byteOffset: number,
    readonly count: number,
    /** A view of the place that a caller holds already. */
    view?: Float32Array,
  ) {
    this.#view = view;
  }

  /** A view over the memory as it is now. Growing a memory empties every view made before. */
  get view(): Float32Array {
    if (this.#view === undefined || this.isStale) {
      this.#view = new Float32Array(this.memory.buffer, this.byteOffset, this.count);
    }
    return this.#view;
  }

  /** Whether the view that a caller holds has died. False as long as none was handed out. */
  get isStale(): boolean {
    return this.#view?.length === 0;
  }
}
