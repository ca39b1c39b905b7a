/**
 * The count of steps, taken whole or by shares, and all else that optimizers on the same tensors must know of each other.
 * With a shared memory it is kept there, so that every thread with an optimizer on these tensors goes on from the same
 * number, whichever took the last step.
 *
 * A step is in progress from its first share on. A share that hasn't been part of it belongs to it; one that has
 * begins the next. Threads that begin a step at the same time agree on its number, since they all write the same values
 * before the last line of `advance`.
 */
import { SwappedError, ThreadError } from "../errors.ts";
import { MAX_SHARES, type Shard } from "../options/step-options.ts";

/**
 * Indices of cells (int32): whether a late worker may write to the tensors; whether the averages stand in for the
 * parameters; changes; tensors with counts of their rows; steps begun; shares per step; steps of which no share is left; steps of each share.
 */
const HELD = 0;
const SWAPPED = 1;
const CHANGES = 2;
const TABLES = 3;
const BEGUN = 4;
const SHARES = 5;
const COMPLETE = 6;
const OF_SHARE = 7;
const CELLS = OF_SHARE + MAX_SHARES;
/** A multiple of 8, since doubles follow. */
export const PROGRESS_BYTES = Math.ceil(CELLS / 2) * 8;

export class Progress {
  readonly #cells: Int32Array;
  readonly #isShared: boolean;

  /** @param memory a shared one, with `PROGRESS_BYTES` at byte `ptr`; without it, the count is private. */
  constructor(memory?: WebAssembly.Memory, ptr?: number) {
    this.#isShared = memory !== undefined;
    this.#cells = memory ? new Int32Array(memory.buffer, ptr, CELLS) : new Int32Array(CELLS);
  }

  get steps(): number {
    return this.#load(BEGUN);
  }

  /** Sets the count to whole steps. No thread may be taking a step meanwhile. */
  set steps(steps: number) {
    this.#cells.fill(0, BEGUN);
    this.advance(steps - 1, undefined);
  }

  /** Whether a worker that the optimizer with the threads gave up may still write to the tensors. */
  get isHeld(): boolean {
    return this.#load(HELD) !== 0;
  }

  set isHeld(isHeld: boolean) {
    this.#store(HELD, Number(isHeld));
  }

  /** Whether the averages of the weights stand in for the parameters. */
  get isSwapped(): boolean {
    return this.#load(SWAPPED) !== 0;
  }

  set isSwapped(isSwapped: boolean) {
    this.#store(SWAPPED, Number(isSwapped));
  }

  /** The number of tensors with counts of their rows, which every step must keep. */
  get tables(): number {
    return this.#load(TABLES);
  }

  set tables(count: number) {
    this.#store(TABLES, count);
  }

  /** Counts the changes of parameters and state, modulo 2 ** 32. */
  get changes(): number {
    return this.#load(CHANGES);
  }

  noteChange(): void {
    if (this.#isShared) Atomics.add(this.#cells, CHANGES, 1);
    else this.#cells[CHANGES]!++;
  }

  /** Refuses what would take the averages of the weights for the parameters. */
  refuseSwapped(): void {
    if (this.isSwapped) {
      throw new SwappedError(
        "The averages stand in for the parameters: call swapEma() first, or train() with scheduleFree.",
      );
    }
  }

  /** Refuses work on tensors that a late worker holds. */
  refuseHeld(): void {
    if (this.isHeld) {
      throw new ThreadError(
        "A late worker may still write to these tensors: see the ThreadError of the optimizer with the threads.",
      );
    }
  }

  /** How many steps come before the one to which this share, or a whole step, would belong now. */
  before(shard: Shard | undefined): number {
    // Read first: if another thread has begun a step, the cells that it wrote before that are seen below.
    const begun = this.#load(BEGUN);
    if (!shard || this.#load(SHARES) !== shard.count) return begun;
    const done = Math.max(this.#load(COMPLETE), this.#load(OF_SHARE + shard.index));
    return done < begun ? begun - 1 : begun;
  }

  /** Counts a share, or the whole, of the step that follows `before` others. */
  advance(before: number, shard: Shard | undefined): void {
    const begun = before + 1;
    if (!shard) {
      this.#store(COMPLETE, begun);
    } else {
      if (this.#load(SHARES) !== shard.count) {
        this.#store(COMPLETE, before);
        this.#store(SHARES, shard.count);
      }
      this.#store(OF_SHARE + shard.index, begun);
    }
    this.#store(BEGUN, begun);
    this.noteChange();
  }

  /** Reads by Atomics in a shared memory only: some engines, such as Hermes, have none. */
  #load(cell: number): number {
    return this.#isShared ? Atomics.load(this.#cells, cell) : this.#cells[cell]!;
  }

  #store(cell: number, value: number): void {
    if (this.#isShared) Atomics.store(this.#cells, cell, value);
    else this.#cells[cell] = value;
  }
}
