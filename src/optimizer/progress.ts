/**
 * The count of steps, taken whole or by shares. With a shared memory the count is kept there, so that every thread with an
 * optimizer on these tensors goes on from the same number, whichever took the last step.
 *
 * A step is in progress from its first share on. A share that hasn't been part of it belongs to it; one that has
 * begins the next. Threads that begin a step at the same time agree on its number, since they all write the same values
 * before the last line of `advance`.
 */
import { MAX_SHARES, type Shard } from "../options/options.ts";

/** Indices of cells (int32): steps begun; shares per step; steps of which no share is left; steps of each share. */
const BEGUN = 0;
const SHARES = 1;
const COMPLETE = 2;
const OF_SHARE = 3;
const CELLS = OF_SHARE + MAX_SHARES;
export const PROGRESS_BYTES = CELLS * 4;

export class Progress {
  readonly #cells: Int32Array;

  /** @param memory a shared one, with `PROGRESS_BYTES` at byte `ptr`; without it, the count is private. */
  constructor(memory?: WebAssembly.Memory, ptr?: number) {
    this.#cells = memory ? new Int32Array(memory.buffer, ptr, CELLS) : new Int32Array(CELLS);
  }

  get steps(): number {
    return Atomics.load(this.#cells, BEGUN);
  }

  /** Sets the count to whole steps. No thread may be taking a step meanwhile. */
  set steps(steps: number) {
    this.#cells.fill(0);
    this.advance(steps - 1, undefined);
  }

  /** How many steps come before the one to which this share, or a whole step, would belong now. */
  before(shard: Shard | undefined): number {
    const cells = this.#cells;
    // Read first: if another thread has begun a step, the cells that it wrote before that are seen below.
    const begun = Atomics.load(cells, BEGUN);
    if (!shard || Atomics.load(cells, SHARES) !== shard.count) return begun;
    const done = Math.max(Atomics.load(cells, COMPLETE), Atomics.load(cells, OF_SHARE + shard.index));
    return done < begun ? begun - 1 : begun;
  }

  /** Counts a share, or the whole, of the step that follows `before` others. */
  advance(before: number, shard: Shard | undefined): void {
    const cells = this.#cells;
    const begun = before + 1;
    if (!shard) {
      Atomics.store(cells, COMPLETE, begun);
    } else {
      if (Atomics.load(cells, SHARES) !== shard.count) {
        Atomics.store(cells, COMPLETE, before);
        Atomics.store(cells, SHARES, shard.count);
      }
      Atomics.store(cells, OF_SHARE + shard.index, begun);
    }
    Atomics.store(cells, BEGUN, begun);
  }
}
