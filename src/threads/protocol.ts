/**
 * What the threads of a pool share beside the tensors: a block of memory of its own, so that nothing is reserved in
 * theirs, and the rule by which the chunks of a job are claimed, for the calling thread and its workers alike.
 *
 * A chunk's state is one word: the job's number, shifted, and beneath it who has the chunk. A thread claims by compare
 * and exchange, reads the job only then, and reports by compare and exchange. A job ends, and the next one is written,
 * when every claim was reported or revoked; a thread that comes late finds another number, and claims nothing.
 */
import { BLOCK } from "../kernel/contract.ts";

/** Words (int32). What several threads write has a cache line to itself. */
export const EPOCH = 0;
export const CALLER_IS_PARKED = 16;
export const CHUNK_COUNT = 32;
export const CHUNKS = 48;
/** With so many, threads end within a percent of each other, however unequal they are. */
export const MAX_CHUNKS = 256;
const THREADS = CHUNKS + MAX_CHUNKS;
const WORDS_PER_THREAD = 16;

/** Doubles of a job. What follows them are the kernel's arguments, in its order. */
export const KIND = 0;
export const COUNT = 1;
export const CHUNK_ELEMENTS = 2;
export const LEAD = 3;
export const ARGUMENTS = 4;
const JOB_DOUBLES = 32;

/** Kinds of jobs. */
export const UPDATE = 0;
export const SUM_OF_SQUARES = 1;

/** Blocks of one job: 8 M elements. */
export const MAX_BLOCKS = 2048;

/** What stands beneath a job's number: 0 for nobody, 1 + a thread's index, the same with `DONE`, or `LOST`. */
export const DONE = 128;
export const LOST = 255;
export const MAX_THREADS = 64;

/** What a worker is at. */
export const STARTING = 0;
export const AWAKE = 1;
export const PARKED = 2;
export const ENDED = 3;

/**
 * For how long a thread watches before it parks, in milliseconds: about what it takes to wake a worker. A program that
 * does nothing but step finds its workers awake; any other loses no more of a processor than this per step.
 */
export const SPIN_MS = 0.05;

/** The block, as each thread has it. */
export interface Control {
  readonly words: Int32Array;
  readonly job: Float64Array;
  /** Of the calling thread and its workers, those that have ended included. */
  readonly threads: number;
}

export function controlByteLength(threads: number): number {
  return 4 * (THREADS + WORDS_PER_THREAD * threads) + 8 * (JOB_DOUBLES + MAX_BLOCKS * threads);
}

export function openControl(buffer: SharedArrayBuffer, threads: number): Control {
  const words = THREADS + WORDS_PER_THREAD * threads;
  return { words: new Int32Array(buffer, 0, words), job: new Float64Array(buffer, words * 4), threads };
}

/** Where a thread says what it is at. */
export function moodAt(thread: number): number {
  return THREADS + WORDS_PER_THREAD * thread;
}

/** Where a thread counts the chunks that it has finished. */
export function tallyAt(thread: number): number {
  return moodAt(thread) + 1;
}

/** Where a thread leaves the sums of blocks: each in its own place, so that one revoked can't spoil another's. */
export function sumsAt(thread: number): number {
  return JOB_DOUBLES + MAX_BLOCKS * thread;
}

/** The first element of a chunk, or where the last one ends. The first chunk is shorter by the lead, to end at a line. */
export function startOf(job: Float64Array, chunk: number): number {
  return Math.min(Math.max(0, chunk * job[CHUNK_ELEMENTS]! - job[LEAD]!), job[COUNT]!);
}

/** Performs a chunk of `SUM_OF_SQUARES` on behalf of a thread. */
export function sumBlocks(
  { job }: Control,
  thread: number,
  from: number,
  to: number,
  sumOfSquares: (grad: number, count: number) => number,
): void {
  for (let i = from; i < to; i += BLOCK) {
    job[sumsAt(thread) + i / BLOCK] = sumOfSquares(job[ARGUMENTS]! + i * 4, Math.min(BLOCK, to - i));
  }
}

/**
 * Claims and performs chunks until none is free: the thread's own from first to last, which then stay in its core's
 * cache from step to step, and after them what others have left, from their ends.
 *
 * @returns false when a claim of this thread was revoked meanwhile: it was taken for dead, and must touch nothing more.
 */
export function takePart(
  { words, job, threads }: Control,
  thread: number,
  epoch: number,
  perform: (from: number, to: number) => void,
): boolean {
  const free = epoch << 8;
  const claimed = free | (thread + 1);
  const chunks = Atomics.load(words, CHUNK_COUNT);
  for (let i = 0; i < threads; i++) {
    const owner = (thread + i) % threads;
    const first = Math.floor((chunks * owner) / threads);
    const end = Math.floor((chunks * (owner + 1)) / threads);
    for (let j = first; j < end; j++) {
      const chunk = i === 0 ? j : end - 1 - (j - first);
      const at = CHUNKS + chunk;
      if (Atomics.load(words, at) !== free) continue;
      if (Atomics.compareExchange(words, at, free, claimed) !== free) continue;
      perform(startOf(job, chunk), startOf(job, chunk + 1));
      words[tallyAt(thread)]!++;
      if (Atomics.compareExchange(words, at, claimed, claimed | DONE) !== claimed) return false;
      if (Atomics.load(words, CALLER_IS_PARKED) !== 0) Atomics.notify(words, at);
    }
  }
  return true;
}
