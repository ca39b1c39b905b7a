/**
 * How many steps were taken, by whole steps and by shares of them. On a shared memory the count lies in it, so that
 * every thread with an optimizer on these tensors goes on from the same one, whoever took the last step.
 *
 * A step is in progress from its first share on. A share that hasn't been part of it belongs to it; one that has
 * begins the next. Threads that begin a step at the same time agree on its number, since all that they write before the
 * last line of `advance` comes to the same.
 */
import { MAX_SHARES, type Shard } from "../options/options.ts";

/** Cells (int32): the steps begun; the shares that each is cut into; the steps that have no share left; each share's. */
const BEGUN = 0;
const SHARES = 1;
const COMPLETE = 2;
const OF_SHARE = 3;
const CELLS = OF_SHARE + MAX_SHARES;
export const PROGRESS_BYTES = CELLS * 4;

export class Progress {
  readonly #cells: Int32Array;

  /** @param memory a shared one, with `PROGRESS_BYTES` at byte `ptr`; without it, the count is nobody else's. */
  constructor(memory?: WebAssembly.Memory, ptr?: number) {
    this.#cells = memory ? new Int32Array(memory.buffer, ptr, CELLS) : new Int32Array(CELLS);
  }

  get steps(): number {
    return Atomics.load(this.#cells, BEGUN);
  }

  /** As if that many whole steps had been taken. Nobody may be taking one meanwhile. */
  set steps(steps: number) {
    this.#cells.fill(0);
    this.advance(steps - 1, undefined);
  }

  /** How many steps come before the one that a share, or all of them, would be part of now. */
  before(shard: Shard | undefined): number {
    const cells = this.#cells;
    // Read first: where another thread has begun a step, what it has written before that is seen below.
    const begun = Atomics.load(cells, BEGUN);
    if (!shard || Atomics.load(cells, SHARES) !== shard.count) return begun;
    const done = Math.max(Atomics.load(cells, COMPLETE), Atomics.load(cells, OF_SHARE + shard.index));
    return done < begun ? begun - 1 : begun;
  }

  /** Counts a share of the step that has `before` ahead of it, or all of it. */
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
