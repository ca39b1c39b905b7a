/** The workers of a pool, as the calling thread handles them: it starts them, has them share jobs, and ends them. */

import { spawnInTurn } from "./crowd.ts";
import {
  ARGUMENTS,
  AWAKE,
  CALLER_IS_PARKED,
  CHUNK_COUNT,
  CHUNK_ELEMENTS,
  CHUNKS,
  COUNT,
  type Control,
  chunksDoneAt,
  controlByteLength,
  DISMISSED,
  DONE,
  EPOCH,
  KIND,
  LEFT,
  LOST,
  MAX_CHUNKS,
  MISALIGNMENT,
  openControl,
  PARKED,
  SPIN_MS,
  startOf,
  statusAt,
  takePart,
  UPDATE,
  UPDATE_ROWS,
  type WorkerStart,
} from "./protocol.ts";
import type { Spawned } from "./spawn.ts";

/** A job that took this many times as long as alone counts as held up. A worker that comes too late to help costs less. */
const LATE = 1.5;

/**
 * The longest sleep, and the most that one of them counts: while the whole process stands still, stopped by a signal or a
 * laptop's lid, clocks go on, but no worker is late.
 */
const SLICE_MS = 50;

/** Owner of a chunk whose worker was given up. */
export const NOBODY = -1;

/** A piece of work, and its division into chunks. */
export interface Job {
  /** One of the kinds of `protocol.ts`, as `UPDATE`. */
  kind: number;
  count: number;
  /** Elements of every chunk except the last and the first, which is `misalignment` shorter. */
  chunkElements: number;
  misalignment: number;
  /** The kernel's arguments, in its order. */
  args: readonly number[];
}

export interface WorkersSettings {
  /** Milliseconds after which a worker that reports nothing is given up: it may have died. */
  timeoutMs: number;
  /**
   * A limit of waiting. On a busy machine, a worker can lose its processor in the middle of a chunk, for milliseconds, or be given the calling
   * thread's. After two jobs in a row that took longer than they would have without workers, the calling thread works alone for
   * twice as long as the second; after the next such job four times as long, and so on, up to this many times as long. That
   * bounds the loss. A single such job means nothing: one thread is held up as often.
   */
  maxBackoff: number;
}

/** Told when memory that a worker may still write to gets free again. */
export interface Hold {
  isHeld: boolean;
}

export class Workers {
  readonly control: Control;
  /** Workers that haven't ended, by their threads. */
  readonly #workers = new Map<number, Spawned>();
  /** The event awaited from each worker: that it is up, or, if it was given up, that it has left. */
  readonly #awaited = new Map<number, { promise: Promise<void>; settle(): void }>();
  /** Workers that were given up in the middle of an update. They may still write to its elements. */
  readonly #late = new Set<number>();
  readonly #canPark: boolean;
  #hold: Hold | undefined;
  #lastEnd = -Infinity;
  #aloneUntil = -Infinity;
  #backoff = 0;
  readonly #owners = new Int8Array(MAX_CHUNKS);

  constructor(
    threads: number,
    code: string,
    start: Pick<WorkerStart, "module" | "memory" | "planes" | "arity" | "bytes">,
    private readonly settings: WorkersSettings,
  ) {
    const buffer = new SharedArrayBuffer(controlByteLength(threads));
    this.control = openControl(buffer, threads);
    this.#canPark = canPark(this.control.words);
    for (let thread = 1; thread < threads; thread++) {
      this.#start(code, { ...start, control: buffer, threads, thread });
    }
  }

  #start(code: string, start: WorkerStart): void {
    const { thread } = start;
    this.#await(thread);
    const end = () => {
      this.#setStatus(thread, LEFT);
      this.#workers.delete(thread);
      this.#note(thread);
    };
    try {
      this.#workers.set(thread, spawnInTurn(code, start, { message: () => this.#note(thread), end }));
    } catch {
      // The page's policy or the process's permissions forbid it. There are fewer threads then, and `threads` says so.
      end();
    }
  }

  #await(thread: number): void {
    let settle = () => {};
    const promise = new Promise<void>((resolve) => {
      settle = resolve;
    });
    this.#awaited.set(thread, { promise, settle });
  }

  #settle(thread: number): void {
    this.#awaited.get(thread)?.settle();
    this.#awaited.delete(thread);
    this.#workers.get(thread)?.keepAlive(false);
  }

  /** Learns that a worker is up, or has left. */
  #note(thread: number): void {
    if (this.#late.has(thread) && this.#statusOf(thread) !== LEFT) return;
    this.#settle(thread);
    this.hasLate();
  }

  /**
   * Resolves when each worker is up or never will be, and each that was given up has left: when nothing more is to be
   * awaited of any, so that no state which another thread writes decides whether the process is kept alive until then.
   */
  get ready(): Promise<void> {
    const awaited = [...this.#awaited].map(([thread, { promise }]) => {
      this.#workers.get(thread)?.keepAlive(true);
      return promise;
    });
    return Promise.all(awaited).then(() => {});
  }

  /** Whether a worker that was given up may still write to the elements of its chunk. */
  hasLate(): boolean {
    for (const thread of this.#late) {
      if (this.#statusOf(thread) === LEFT) this.#late.delete(thread);
    }
    if (this.#hold) this.#hold.isHeld = this.#late.size > 0;
    return this.#late.size > 0;
  }

  /** Keeps `hold` informed of `hasLate`, also after `dismissAll`. */
  inform(hold: Hold): void {
    this.#hold = hold;
    this.hasLate();
  }

  /**
   * How many workers are watching for a job (`AWAKE`), sleep and can be woken for one (`PARKED`), or either. Two counts,
   * added up, would have a worker twice that falls asleep between them.
   */
  count(...statuses: readonly (typeof AWAKE | typeof PARKED)[]): number {
    let count = 0;
    for (let thread = 1; thread < this.control.threads; thread++) {
      if ((statuses as readonly number[]).includes(this.#statusOf(thread))) count++;
    }
    return count;
  }

  /** How many chunks each thread has done so far, the calling one first. */
  get chunksDone(): number[] {
    const { words, threads } = this.control;
    return Array.from({ length: threads }, (_, thread) => Atomics.load(words, chunksDoneAt(thread)));
  }

  /**
   * Ends all workers, and awaits nothing more of them. They are woken to leave by themselves: in Deno, a worker that sleeps
   * outlives `terminate`, and in browsers no event tells of its end.
   */
  dismissAll(): void {
    const { words } = this.control;
    for (const thread of this.#workers.keys()) this.#dismiss(thread);
    Atomics.add(words, EPOCH, 1);
    Atomics.notify(words, EPOCH);
    for (const [thread, worker] of this.#workers) if (!this.#late.has(thread)) void worker.terminate();
    for (const thread of this.#awaited.keys()) this.#settle(thread);
  }

  /**
   * Whether workers will take part: those that are awake, or parked ones if the work is worth waking them. For a while
   * after a worker has kept the calling thread waiting, none will.
   */
  hasHelp(isWorthWaking: boolean): boolean {
    const isAwake = this.count(AWAKE) > 0;
    if (!isAwake && this.count(PARKED) === 0) return false;
    const now = performance.now();
    if (now < this.#aloneUntil) return false;
    return isAwake || isWorthWaking || now - this.#lastEnd < SPIN_MS;
  }

  /** Notes the end of work that was done without help, but was large enough for it. */
  noteAlone(): void {
    this.#lastEnd = performance.now();
  }

  /**
   * Has a job done: by the workers that come, and by the calling thread for all chunks that no worker claims.
   *
   * @returns the owner of each chunk, valid until the next job: `NOBODY` if the worker that claimed it was given up.
   */
  run(job: Job, perform: (from: number, to: number) => void): Int8Array {
    const { words, job: shared } = this.control;
    const began = performance.now();
    const epoch = this.#publish(job);
    if (this.count(PARKED) > 0) Atomics.notify(words, EPOCH);
    let [from, to] = [0, 0];
    takePart(this.control, 0, epoch, {
      read(first, end) {
        [from, to] = [first, end];
      },
      perform: () => perform(from, to),
    });
    const waiting = performance.now();
    const owners = this.#owners.subarray(0, words[CHUNK_COUNT]!);
    let own = 0;
    for (let chunk = 0; chunk < owners.length; chunk++) {
      owners[chunk] = this.#ownerOf(CHUNKS + chunk, epoch, job.kind === UPDATE || job.kind === UPDATE_ROWS);
      if (owners[chunk] === 0) own += startOf(shared, chunk + 1) - startOf(shared, chunk);
    }
    const end = performance.now();
    this.#lastEnd = end;
    // The time that all of it would have taken at the calling thread's pace. If that thread did none of it, a worker was
    // given its processor.
    const alone = own === 0 ? 0 : ((waiting - began) * job.count) / own;
    const wasLate = end - began > LATE * alone;
    this.#backoff = wasLate ? Math.min(Math.max(1, this.#backoff * 2), this.settings.maxBackoff) : 0;
    if (this.#backoff > 1) {
      this.#aloneUntil = end + this.#backoff * Math.min(end - began, this.settings.timeoutMs);
    }
    return owners;
  }

  #publish({ kind, count, chunkElements, misalignment, args }: Job): number {
    const { words, job } = this.control;
    const epoch = (words[EPOCH]! + 1) | 0;
    job[KIND] = kind;
    job[COUNT] = count;
    job[CHUNK_ELEMENTS] = chunkElements;
    job[MISALIGNMENT] = misalignment;
    job.set(args, ARGUMENTS);
    const chunks = Math.ceil((count + misalignment) / chunkElements);
    for (let chunk = 0; chunk < chunks; chunk++) Atomics.store(words, CHUNKS + chunk, epoch << 8);
    Atomics.store(words, CHUNK_COUNT, chunks);
    Atomics.store(words, EPOCH, epoch);
    return epoch;
  }

  /** Waits until a chunk is reported, and gives its owner; revokes the claim of a worker that is given up. */
  #ownerOf(at: number, epoch: number, writes: boolean): number {
    const { words } = this.control;
    let waited = 0;
    let last = 0;
    for (let turn = 0; ; turn++) {
      const state = Atomics.load(words, at);
      const thread = (state & (DONE - 1)) - 1;
      if (state & DONE) return thread;
      if (turn % 64 < 63) continue;

      const now = performance.now();
      if (last > 0) waited += Math.min(now - last, SLICE_MS);
      last = now;
      if (waited > this.settings.timeoutMs || this.#statusOf(thread) === LEFT) {
        if (Atomics.compareExchange(words, at, state, (epoch << 8) | LOST) !== state) continue;
        this.#giveUp(thread, writes);
        return NOBODY;
      }
      if (waited > SPIN_MS && this.#canPark) {
        // The worker looks at this word after its report: either it wakes this thread, or this one doesn't fall asleep.
        Atomics.store(words, CALLER_IS_PARKED, 1);
        Atomics.wait(words, at, state, SLICE_MS);
        Atomics.store(words, CALLER_IS_PARKED, 0);
      }
    }
  }

  /**
   * Lets a worker take no more part. One that may still write isn't terminated: in Deno, Bun and Chromium, `terminate`
   * leaves it in its loop, and nothing would tell any more when it leaves. It does so by itself after its chunk.
   */
  #giveUp(thread: number, writes: boolean): void {
    this.#dismiss(thread);
    if (!writes) {
      void this.#workers.get(thread)?.terminate();
    } else if (this.#statusOf(thread) !== LEFT && !this.#late.has(thread)) {
      this.#late.add(thread);
      this.#await(thread);
    }
  }

  #statusOf(thread: number): number {
    return Atomics.load(this.control.words, statusAt(thread));
  }

  #setStatus(thread: number, status: number): void {
    Atomics.store(this.control.words, statusAt(thread), status);
  }

  /** Tells a worker to leave, unless it has left by itself. */
  #dismiss(thread: number): void {
    const { words } = this.control;
    const at = statusAt(thread);
    for (let status = LEFT - 1; status !== LEFT; ) {
      const found = Atomics.compareExchange(words, at, status, DISMISSED);
      if (found === status) return;
      status = found;
    }
  }
}

/** Whether this thread may sleep: a page's main thread may not, so it keeps watching instead. */
function canPark(words: Int32Array): boolean {
  try {
    Atomics.wait(words, EPOCH, words[EPOCH]! + 1, 0);
    return true;
  } catch {
    return false;
  }
}
