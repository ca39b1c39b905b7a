/** The workers of a pool, as the calling thread handles them: it starts them, has them share jobs, and ends them. */
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
  DONE,
  ENDED,
  EPOCH,
  KIND,
  LOST,
  MAX_CHUNKS,
  MISALIGNMENT,
  openControl,
  PARKED,
  SPIN_MS,
  STARTING,
  startOf,
  statusAt,
  takePart,
  type WorkerStart,
} from "./protocol.ts";
import { type Spawned, spawn } from "./spawn.ts";

/** A job that took this many times as long as alone counts as held up. A worker that comes too late to help costs less. */
const LATE = 1.5;

/** Owner of a chunk whose worker died, or was given up. */
export const NOBODY = -1;

/** A piece of work, and its division into chunks. */
export interface Job {
  /** `UPDATE` or `SUM_OF_SQUARES`. */
  kind: number;
  count: number;
  /** Elements of every chunk except the last and the first, which is `misalignment` shorter. */
  chunkElements: number;
  misalignment: number;
  /** The kernel's arguments, in its order. */
  args: readonly number[];
}

export interface WorkersSettings {
  /** Milliseconds after which a worker that reports nothing is taken for dead. */
  timeoutMs: number;
  /**
   * On a busy machine, a worker can lose its processor in the middle of a chunk, for milliseconds, or be given the calling
   * thread's. After a job that took longer than it would have without workers, the calling thread works alone for as
   * long; after the next such job twice as long, and so on, up to this many times as long. That bounds the loss.
   */
  maxBackoff: number;
}

export class Workers {
  readonly control: Control;
  readonly #workers = new Map<number, Spawned>();
  readonly #ready: Promise<void>;
  readonly #canPark: boolean;
  #lastEnd = -Infinity;
  #aloneUntil = -Infinity;
  #backoff = 0;
  readonly #owners = new Int8Array(MAX_CHUNKS);

  constructor(
    threads: number,
    code: string,
    start: Pick<WorkerStart, "module" | "memory" | "planes" | "arity">,
    private readonly settings: WorkersSettings,
  ) {
    const buffer = new SharedArrayBuffer(controlByteLength(threads));
    this.control = openControl(buffer, threads);
    this.#canPark = canPark(this.control.words);
    const settled = Array.from({ length: threads - 1 }, (_, i) =>
      this.#start(code, { ...start, control: buffer, threads, thread: i + 1 }),
    );
    this.#ready = Promise.all(settled).then(() => {});
  }

  #start(code: string, start: WorkerStart): Promise<void> {
    const { thread } = start;
    return new Promise((settle) => {
      const end = () => {
        this.#setStatus(thread, ENDED);
        this.#workers.delete(thread);
        settle();
      };
      const up = () => {
        this.#workers.get(thread)?.keepAlive(false);
        settle();
      };
      try {
        this.#workers.set(thread, spawn(code, start, { up, end }));
      } catch {
        // The page's policy or the process's permissions forbid it. There are fewer threads then, and `threads` says so.
        end();
      }
    });
  }

  /** Resolves when each worker is up, or never will be. Reading this property keeps the process alive until then. */
  get ready(): Promise<void> {
    for (const [thread, worker] of this.#workers) {
      if (this.#statusOf(thread) === STARTING) worker.keepAlive(true);
    }
    return this.#ready;
  }

  /** How many workers are watching for a job (`AWAKE`), or sleep and can be woken for one (`PARKED`). */
  count(status: typeof AWAKE | typeof PARKED): number {
    let count = 0;
    for (let thread = 1; thread < this.control.threads; thread++) {
      if (this.#statusOf(thread) === status) count++;
    }
    return count;
  }

  /** How many chunks each thread has done so far, the calling one first. */
  get chunksDone(): number[] {
    const { words, threads } = this.control;
    return Array.from({ length: threads }, (_, thread) => Atomics.load(words, chunksDoneAt(thread)));
  }

  dismissAll(): void {
    for (const thread of this.#workers.keys()) this.#dismiss(thread);
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
   * @returns the owner of each chunk, valid until the next job: `NOBODY` if the worker that claimed it has died.
   */
  run(job: Job, perform: (from: number, to: number) => void): Int8Array {
    const { words, job: shared } = this.control;
    const began = performance.now();
    const epoch = this.#publish(job);
    if (this.count(PARKED) > 0) Atomics.notify(words, EPOCH);
    takePart(this.control, 0, epoch, perform);
    const waiting = performance.now();
    const owners = this.#owners.subarray(0, words[CHUNK_COUNT]!);
    let ours = 0;
    for (let chunk = 0; chunk < owners.length; chunk++) {
      owners[chunk] = this.#settle(CHUNKS + chunk, epoch);
      if (owners[chunk] === 0) ours += startOf(shared, chunk + 1) - startOf(shared, chunk);
    }
    const end = performance.now();
    this.#lastEnd = end;
    // The time that all of it would have taken at the calling thread's pace. If that thread did none of it, a worker was
    // given its processor.
    const alone = ours === 0 ? 0 : ((waiting - began) * job.count) / ours;
    const wasLate = end - began > LATE * alone;
    this.#backoff = wasLate ? Math.min(Math.max(1, this.#backoff * 2), this.settings.maxBackoff) : 0;
    this.#aloneUntil = end + this.#backoff * (end - began);
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

  /** Waits until a chunk is reported, and gives its owner; revokes the claim of a worker that has died. */
  #settle(at: number, epoch: number): number {
    const { words } = this.control;
    let began = 0;
    for (let turn = 0; ; turn++) {
      const state = Atomics.load(words, at);
      const thread = (state & (DONE - 1)) - 1;
      if (state & DONE) return thread;
      if (turn % 64 < 63) continue;

      const now = performance.now();
      if (began === 0) began = now;
      if (now - began > this.settings.timeoutMs || this.#statusOf(thread) === ENDED) {
        if (Atomics.compareExchange(words, at, state, (epoch << 8) | LOST) !== state) continue;
        this.#dismiss(thread);
        return NOBODY;
      }
      if (now - began > SPIN_MS && this.#canPark) {
        // The worker looks at this word after its report: either it wakes this thread, or this one doesn't fall asleep.
        Atomics.store(words, CALLER_IS_PARKED, 1);
        Atomics.wait(words, at, state, this.settings.timeoutMs);
        Atomics.store(words, CALLER_IS_PARKED, 0);
      }
    }
  }

  #statusOf(thread: number): number {
    return Atomics.load(this.control.words, statusAt(thread));
  }

  #setStatus(thread: number, status: number): void {
    Atomics.store(this.control.words, statusAt(thread), status);
  }

  /** Ends a worker that hasn't ended already. */
  #dismiss(thread: number): void {
    this.#setStatus(thread, ENDED);
    this.#workers.get(thread)?.terminate();
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
