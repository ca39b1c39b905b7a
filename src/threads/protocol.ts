/**
 * The protocol between the threads of a pool: a block of shared memory, separate from the tensors' so that nothing has to
 * be reserved there, and the rule by which the calling thread and its workers claim the chunks of a job.
 *
 * A chunk's state is one word: the job's number, shifted, and beneath it the owner of the chunk. A thread claims by
 * compare and exchange, reads the job only then, makes sure that the claim still stands, and reports by compare and
 * exchange. A job ends, and the next one is written, when every claim was reported or revoked; a thread that comes late
 * finds another number, and claims nothing.
 */
import { BLOCK, MOVES_BYTES } from "../kernel/contract.ts";

/** Indices of words (int32). Each word that several threads write has a cache line to itself. */
export const EPOCH = 0;
export const CALLER_IS_PARKED = 16;
export const CHUNK_COUNT = 32;
export const CHUNKS = 48;
/** The most chunks of a job, each with a word in the block: 8 for each of 32 threads, and fewer for more. */
export const MAX_CHUNKS = 256;
const THREADS = CHUNKS + MAX_CHUNKS;
const WORDS_PER_THREAD = 16;

/** Indices of a job's doubles. The kernel's arguments follow them, in its order. */
export const KIND = 0;
export const COUNT = 1;
export const CHUNK_ELEMENTS = 2;
export const MISALIGNMENT = 3;
export const ARGUMENTS = 4;
const JOB_DOUBLES = 40;

/** Kinds of jobs. */
export const UPDATE = 0;
export const SUM_OF_SQUARES = 1;
export const INNER_PRODUCT = 2;
export const UPDATE_ROWS = 3;

/** Blocks of one job: 8 M elements. */
export const MAX_BLOCKS = 2048;

/** The owner beneath a job's number: 0 for nobody, 1 + a thread's index, the same with `DONE`, or `LOST`. */
export const DONE = 128;
export const LOST = 255;

/** The states of a worker. */
export const STARTING = 0;
export const AWAKE = 1;
export const PARKED = 2;
/** Told to leave. It may still be in the middle of a chunk. */
export const DISMISSED = 3;
/** Out of all chunks, and out of the memory. */
export const LEFT = 4;

/**
 * Milliseconds for which a thread watches before it parks. A program that does nothing but step finds its workers awake;
 * any other program loses no more processor time than this per step. Waking a worker takes about 0.05, but so do the pauses
 * that a virtual machine inserts, a thousand times a second: with 0.05, one of them sent the others to sleep, and two
 * threads were 1.5 times as fast as one at 256 k elements, with this 1.65.
 */
export const SPIN_MS = 0.2;

/** One thread's views of the shared block. */
export interface Control {
  readonly words: Int32Array;
  readonly job: Float64Array;
  /** The number of threads: the calling one and its workers, those that have ended included. */
  readonly threads: number;
}

/** The data with which a worker is started. */
export interface WorkerStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: SharedArrayBuffer;
  threads: number;
  /** The worker's index among them: 1 for the first, since 0 is the calling thread. */
  thread: number;
  /** How many of the kernel's arguments after the first are addresses. */
  planes: number;
  /** How many arguments the kernel takes. */
  arity: number;
  /** The size of an element. */
  bytes: number;
}

export function controlByteLength(threads: number): number {
  return 4 * (THREADS + WORDS_PER_THREAD * threads) + 8 * (JOB_DOUBLES + MAX_BLOCKS * threads);
}

export function openControl(buffer: SharedArrayBuffer, threads: number): Control {
  const words = THREADS + WORDS_PER_THREAD * threads;
  return { words: new Int32Array(buffer, 0, words), job: new Float64Array(buffer, words * 4), threads };
}

/** Index of the word in which a thread states what it is doing. */
export function statusAt(thread: number): number {
  return THREADS + WORDS_PER_THREAD * thread;
}

/** Index of the word in which a thread counts the chunks that it has finished. */
export function chunksDoneAt(thread: number): number {
  return statusAt(thread) + 1;
}

/** Index of a thread's sums of blocks: a place of its own, so that a thread that is late can't spoil another's sums. */
export function sumsAt(thread: number): number {
  return JOB_DOUBLES + MAX_BLOCKS * thread;
}

/**
 * The first element of a chunk; for the index after the last, the count. The first chunk is shorter by the misalignment, so
 * that it ends at a cache line.
 */
export function startOf(job: Float64Array, chunk: number): number {
  return Math.min(Math.max(0, chunk * job[CHUNK_ELEMENTS]! - job[MISALIGNMENT]!), job[COUNT]!);
}

/** The kernel of a job that isn't an update: it takes addresses, a count, and numbers. */
export type Call = (...args: number[]) => unknown;

/** A job that isn't an update: the addresses at which its planes begin, and the numbers that follow the count. */
export interface Work {
  readonly addresses: readonly number[];
  readonly factors: readonly number[];
  /** The size of an element. */
  readonly bytes: number;
}

/** Does so many elements of a job, from element `from` on. */
export function call(kernel: Call, { addresses, factors, bytes }: Work, from: number, count: number) {
  return kernel(...addresses.map((address) => address + from * bytes), count, ...factors);
}

/** The arguments of `updateRows` for a chunk of its rows. The lists follow the variant, so many planes and a count. */
export function cutRows(all: readonly number[], planes: number, [from, to]: Range): number[] {
  const cut = [...all];
  const at = 2 + planes;
  cut[at]! += from * 4;
  if (all[at + 1] !== 0) cut[at + 1]! += from * 4;
  if (all[at + 3] !== 0) cut[at + 3]! += from * MOVES_BYTES;
  cut[at + 4] = to - from;
  return cut;
}

/** Performs a chunk of a sum on behalf of a thread, block by block. */
export function sumBlocks(
  { job }: Control,
  thread: number,
  work: Work,
  [from, to]: Range,
  kernel: Call,
): void {
  for (let i = from; i < to; i += BLOCK) {
    job[sumsAt(thread) + i / BLOCK] = call(kernel, work, i, Math.min(BLOCK, to - i)) as number;
  }
}

/** Elements from one to before another. */
export type Range = readonly [from: number, to: number];

/**
 * The way in which a thread does a chunk: it reads the job into variables of its own, then performs it from those alone. By
 * the time a thread that was held up performs, the block may hold another job.
 */
export interface Performer {
  read(from: number, to: number): void;
  perform(): void;
}

/**
 * Claims and performs chunks until none is free: first the thread's own in order, so that they stay in its core's cache
 * from step to step, then those that other threads haven't claimed, from the ends of their ranges.
 *
 * @returns false if a claim of this thread was revoked meanwhile: the caller took it for dead, so it must touch nothing
 * more.
 */
export function takePart(
  { words, job, threads }: Control,
  thread: number,
  epoch: number,
  performer: Performer,
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
      performer.read(startOf(job, chunk), startOf(job, chunk + 1));
      // An exchange rather than a load, past which a processor may postpone the reads above.
      if (Atomics.compareExchange(words, at, claimed, claimed) !== claimed) return false;
      performer.perform();
      words[chunksDoneAt(thread)]!++;
      if (Atomics.compareExchange(words, at, claimed, claimed | DONE) !== claimed) return false;
      if (Atomics.load(words, CALLER_IS_PARKED) !== 0) Atomics.notify(words, at);
    }
  }
  return true;
}
