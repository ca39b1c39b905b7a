/** The rows of a tensor that have a gradient, checked. */
export class RowList {
  #sorted: Uint32Array | undefined;

  constructor(
    /** In the caller's order, repetitions included. */
    readonly given: Uint32Array,
  ) {}

  /** In ascending order, each row once: for sums and shares, which the caller's order must not change. */
  get sorted(): Uint32Array {
    this.#sorted ??= withoutRepetitions(this.given.slice().sort());
    return this.#sorted;
  }

  /** Rows that follow each other, from the first to the last. */
  get runs(): { readonly first: number; readonly count: number }[] {
    const runs: { first: number; count: number }[] = [];
    for (const row of this.sorted) {
      const last = runs.at(-1);
      if (last && row === last.first + last.count) last.count++;
      else runs.push({ first: row, count: 1 });
    }
    return runs;
  }
}

/** A sorted list with each row once, in its place: `filter` takes four times as long. */
function withoutRepetitions(sorted: Uint32Array): Uint32Array {
  let end = 0;
  for (const row of sorted) if (row !== sorted[end - 1]) sorted[end++] = row;
  return sorted.subarray(0, end);
}
