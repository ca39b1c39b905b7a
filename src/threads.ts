/**
 * The pool: the WebAssembly kernels on several threads over one shared memory, by the same contract and with the same
 * bits. `step()` stays synchronous: the calling thread cuts an update at cache lines into chunks, takes part in it, and
 * waits for the chunks that others have claimed. It never waits for a worker to begin: it does every chunk that no worker
 * claims.
 */

import { ThreadError } from "./errors.ts";
import { BLOCK, type Kernel, type Scalars } from "./kernel/contract.ts";
import { PLANES, partOf, type Segment } from "./kernel/segment.ts";
import { CACHE_LINE_BYTES } from "./memory/layout.ts";
import {
  AWAKE,
  MAX_BLOCKS,
  MAX_CHUNKS,
  PARKED,
  SUM_OF_SQUARES,
  startOf,
  sumBlocks,
  sumsAt,
  UPDATE,
} from "./threads/protocol.ts";
import { workerCode } from "./threads/worker.generated.ts";
import { NOBODY, Workers, type WorkersSettings } from "./threads/workers.ts";

/** Settings that the tests change. */
export interface PoolSettings extends WorkersSettings {
  /** Elements below which an update stays on the calling thread. */
  cutoff: number;
  /** Elements from which parked workers are woken; below, only when the last update was just before. */
  wakeCutoff: number;
  /** Elements below which a sum of squares stays on the calling thread. */
  sumCutoff: number;
  /** Elements of the smallest chunk. */
  minChunk: number;
  minSumChunk: number;
  workerCode: string;
}

/**
 * Two threads against one, on two Zen 4 cores, the plain update at 0.6 ns per element. Steps back to back, which find
 * the workers awake: 0.75 times the speed at 16 k elements, 1.4 at 32 k, 1.5 to 1.7 at 64 k, 1.7 to 1.75 from 128 k up.
 * Steps 3 ms apart, which have to wake them: 0.85 at 256 k, 0.95 at 512 k, 1.2 at 1 M, 1.6 at 4 M. A sum of squares takes
 * a quarter of the time, so it is worth sharing from four times as many elements.
 */
const SETTINGS: PoolSettings = {
  cutoff: 32_768,
  wakeCutoff: 1_048_576,
  sumCutoff: 131_072,
  minChunk: 8_192,
  minSumChunk: 16_384,
  timeoutMs: 2_000,
  maxBackoff: 64,
  workerCode,
};

/** The arguments of the kernel's `update` after the count, in their order. */
const SCALARS = [
  "alpha",
  "oneMinusAlpha",
  "epsInside",
  "eps",
  "updateScale",
  "momentum",
  "bufferScale",
  "gradScale",
  "clipValue",
  "paramScale",
  "weightDecay",
  "correction",
  "emaWeight",
] as const satisfies (keyof Scalars)[];

/** Ends the workers of a pool that was dropped without `dispose`. */
let abandoned: FinalizationRegistry<Workers> | undefined;

/** Lets `threads - 1` workers, which start meanwhile, share the work of `inner`, the kernels of a shared memory. */
export function openPool(
  inner: Kernel,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  threads: number,
  settings: Partial<PoolSettings> = {},
): Pool {
  const all = { ...SETTINGS, ...settings };
  const arity = 2 + PLANES.length + SCALARS.length;
  const start = { module, memory, planes: PLANES.length, arity };
  const workers = new Workers(threads, all.workerCode, start, all);
  const pool = new Pool(inner, workers, all);
  abandoned ??= new FinalizationRegistry((workers) => workers.dismissAll());
  abandoned.register(pool, workers);
  return pool;
}

/** A kernel that shares the work that is worth sharing, and leaves the rest to the calling thread. */
export class Pool implements Omit<Kernel, "backend"> {
  constructor(
    private readonly inner: Kernel,
    private readonly workers: Workers,
    private readonly settings: PoolSettings,
  ) {}

  get threads(): number {
    return 1 + this.workers.count(AWAKE) + this.workers.count(PARKED);
  }

  get ready(): Promise<void> {
    return this.workers.ready;
  }

  /** How many chunks each thread has done so far, the calling one first. */
  get chunksDone(): number[] {
    return this.workers.chunksDone;
  }

  dispose(): void {
    this.workers.dismissAll();
  }

  /** @throws ThreadError when a worker has died in the middle of it. */
  update(segment: Segment, scalars: Scalars): void {
    const { count, param } = segment;
    const { cutoff, wakeCutoff, minChunk } = this.settings;
    if (count < cutoff || !this.workers.hasHelp(count >= wakeCutoff)) {
      this.inner.update(segment, scalars);
      if (count >= cutoff) this.workers.noteAlone();
      return;
    }

    const misalignment = (param % CACHE_LINE_BYTES) / 4;
    const chunkElements = this.#chunkElements(count + misalignment, minChunk, CACHE_LINE_BYTES / 4);
    const planes = PLANES.map((name) => segment[name]);
    const args = [scalars.variant, ...planes, count, ...SCALARS.map((name) => scalars[name])];
    const owners = this.workers.run({ kind: UPDATE, count, chunkElements, misalignment, args }, (from, to) =>
      this.inner.update(partOf(segment, from, to), scalars),
    );
    if (owners.includes(NOBODY)) throw this.#lost(owners, param);
  }

  sumOfSquares(grad: number, count: number): number {
    const { sumCutoff } = this.settings;
    if (count < sumCutoff || !this.workers.hasHelp(true)) return this.inner.sumOfSquares(grad, count);
    let sum = 0;
    for (let done = 0; done < count; done += MAX_BLOCKS * BLOCK) {
      const elements = Math.min(count - done, MAX_BLOCKS * BLOCK);
      for (const block of this.#sumsOfBlocks(grad + done * 4, elements)) sum += block;
    }
    return sum;
  }

  /** The sums in the order of the blocks, to be added up as one thread adds them. */
  #sumsOfBlocks(grad: number, count: number): Float64Array {
    const { control } = this.workers;
    const chunkElements = this.#chunkElements(count, this.settings.minSumChunk, BLOCK);
    const perform = (from: number, to: number) => sumBlocks(control, 0, from, to, this.inner.sumOfSquares);
    const job = { kind: SUM_OF_SQUARES, count, chunkElements, misalignment: 0, args: [grad] };
    const sums = new Float64Array(Math.ceil(count / BLOCK));
    this.workers.run(job, perform).forEach((owner, chunk) => {
      const [from, to] = [startOf(control.job, chunk), startOf(control.job, chunk + 1)];
      // A dead worker's chunk can be done again: it has written nothing but a sum.
      if (owner === NOBODY) perform(from, to);
      const at = sumsAt(Math.max(owner, 0));
      const [first, end] = [from / BLOCK, Math.ceil(to / BLOCK)];
      sums.set(control.job.subarray(at + first, at + end), first);
    });
    return sums;
  }

  #lost(owners: Int8Array, param: number): ThreadError {
    const { job } = this.workers.control;
    const byteOffset = param + startOf(job, owners.indexOf(NOBODY)) * 4;
    const end = param + startOf(job, owners.lastIndexOf(NOBODY) + 1) * 4;
    return new ThreadError(
      `A worker died in the middle of a step: of the parameters at bytes ${byteOffset} to ${end} of the memory, some were updated and some not. Load a checkpoint, or write these parameters and their state anew. Later steps run on the threads that are left.`,
      byteOffset,
      end - byteOffset,
    );
  }

  /** Chunks of the same size for each thread, a multiple of `unit`, and large enough to be worth a claim. */
  #chunkElements(count: number, least: number, unit: number): number {
    const { threads } = this.workers.control;
    const wanted = Math.min(MAX_CHUNKS, Math.max(1, Math.floor(count / least)));
    const chunks = wanted < threads ? wanted : wanted - (wanted % threads);
    return Math.ceil(count / chunks / unit) * unit;
  }
}
