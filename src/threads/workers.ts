/** The workers of a pool, and what the calling thread does with them. */
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

/** How much longer than alone counts as held up. A worker that comes too late to help costs less than this. */
const LATE = 1.5;

/** Who did a chunk whose worker has died over it. */
export const NOBODY = -1;

/** What is to be done, and in which chunks. */
export interface Job {
  /** `UPDATE` or `SUM_OF_SQUARES`. */
  kind: number;
  count: number;
  /** Of every chunk but the first, which is `misalignment` shorter, and the last. */
  chunkElements: number;
  misalignment: number;
  /** The kernel's, in its order. */
  args: readonly number[];
}

export interface WorkersSettings {
  /** Milliseconds after which a worker that reports nothing is taken for dead. */
  timeoutMs: number;
  /**
   * On a busy machine, a worker can lose its processor in the middle of a chunk, for milliseconds, or be given ours.
   * When a job took longer than it would have without them, we go on alone for as long; twice as long when the next one
   * did too, and so on, up to so many times as long. That bounds the loss.
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
        // The page's policy or the process's permissions forbid it. There are fewer threads then, and `threads` tells.
        end();
      }
    });
  }

  /** Resolves when every worker is up, or never will be. Whoever asks keeps the process alive until then. */
  get ready(): Promise<void> {
    for (const [thread, worker] of this.#workers) {
      if (this.#statusOf(thread) === STARTING) worker.keepAlive(true);
    }
    return this.#ready;
  }

  /** How many workers watch for a job (`AWAKE`), or would wake for one (`PARKED`). */
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
   * Whether others will take part: those awake, or those parked where the work is worth waking them. Not for a while
   * after one has kept us waiting.
   */
  hasHelp(isWorthWaking: boolean): boolean {
    const isAwake = this.count(AWAKE) > 0;
    if (!isAwake && this.count(PARKED) === 0) return false;
    const now = performance.now();
    if (now < this.#aloneUntil) return false;
    return isAwake || isWorthWaking || now - this.#lastEnd < SPIN_MS;
  }

  /** Tells of work that was done without help, but worth it. */
  noteAlone(): void {
    this.#lastEnd = performance.now();
  }

  /**
   * Has a job done: by whoever comes, and by the calling thread what nobody else claims.
   *
   * @returns who did each chunk, until the next job: `NOBODY` knows, where it was claimed by a worker that has died.
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
    // Had we done all of it at our pace. None of it is a sign that a worker was given our processor.
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

  /** Waits until a chunk is reported, and gives who did it; revokes the claim of a worker that has died. */
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
        // The worker looks at this after its report, so it wakes us or we don't fall asleep.
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

  /** Ends a worker, if it hasn't ended already. */
  #dismiss(thread: number): void {
    this.#setStatus(thread, ENDED);
    this.#workers.get(thread)?.terminate();
  }
}

/** Whether this thread may sleep: a page's own may not, and keeps watching instead. */
function canPark(words: Int32Array): boolean {
  try {
    Atomics.wait(words, EPOCH, words[EPOCH]! + 1, 0);
    return true;
  } catch {
    return false;
  }
}
