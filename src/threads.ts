/**
 * The pool: the WebAssembly kernels on several threads over one shared memory, by the same contract and with the same
 * bits. `step()` stays synchronous: the calling thread cuts an update at cache lines into chunks, takes part in it, and
 * waits for the chunks that others have claimed. It never waits for a worker to begin: it does every chunk that no worker
 * claims.
 */

import {
  argumentsOf,
  BLOCK,
  type Kernel,
  MOVES_BYTES,
  ROW_ARITY,
  type Rows,
  rowArgumentsOf,
  type Scalars,
} from "./kernel/contract.ts";
import { PLANES, partOf, type Segment } from "./kernel/segment.ts";
import { CACHE_LINE_BYTES } from "./memory/layout.ts";
import { type Bytes, lateError, lostError, type SettledGroup } from "./threads/lost.ts";
import {
  AWAKE,
  type Call,
  INNER_PRODUCT,
  MAX_BLOCKS,
  MAX_CHUNKS,
  PARKED,
  SUM_OF_SQUARES,
  startOf,
  sumBlocks,
  sumsAt,
  UPDATE,
  UPDATE_ROWS,
  type Work,
} from "./threads/protocol.ts";
import { workerCode } from "./threads/worker.generated.ts";
import { type Hold, NOBODY, Workers, type WorkersSettings } from "./threads/workers.ts";

/** Settings that the tests change. */
export interface PoolSettings extends WorkersSettings {
  /** Elements below which an update stays on the calling thread. */
  cutoff: number;
  /** Elements from which parked workers are woken; below, only when the last update was just before. */
  wakeCutoff: number;
  /** Elements below which a sum of squares stays on the calling thread. */
  sumCutoff: number;
  /**
   * Chunks of a job for each thread: enough to share what is left when one is held up, and few, since processors fetch
   * the planes anew at the start of each. Chunks of 8 k elements took 8 % more time than of 32 k, at 1 M elements.
   */
  chunksPerThread: number;
  /** Elements of the smallest chunk. */
  minChunk: number;
  minSumChunk: number;
  workerCode: string;
}

/**
 * Two threads against one, on two Zen 4 cores, the plain update at 0.6 ns per element. Steps back to back, which find
 * the workers awake: 0.75 times the speed at 16 k elements, 1.4 at 32 k, 1.5 to 1.7 at 64 k, 1.7 to 1.75 from 128 k up; on
 * a virtual Sapphire Rapids, 1.1 at 32 k, 1.3 at 64 k, 1.65 at 256 k, 1.7 at 1 M.
 * Steps 3 ms apart, which have to wake them: 0.85 at 256 k, 0.95 at 512 k, 1.2 at 1 M, 1.6 at 4 M. A sum of squares takes
 * a quarter of the time, so it is worth sharing from four times as many elements.
 */
const SETTINGS: PoolSettings = {
  cutoff: 32_768,
  wakeCutoff: 1_048_576,
  sumCutoff: 131_072,
  chunksPerThread: 8,
  minChunk: 8_192,
  minSumChunk: 16_384,
  timeoutMs: 2_000,
  maxBackoff: 64,
  workerCode,
};

/**
 * The elements of a dense update that a row counts as. A row takes longer than those, but one thread makes the lists, whose
 * share is the larger the narrower rows are. Two threads against one, steps back to back: rows of 64 at 1.1 to 1.3 times the
 * speed from 400 to 500 rows, at 1.5 from 2,000; rows of 8 at 0.75 to 1 below 2,000 rows, at 0.95 to 1.2 from there.
 */
const ROW_ELEMENTS = 8;
const priceOf = (rows: number, width: number) => rows * (ROW_ELEMENTS + width);

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
  const start = { module, memory, planes: PLANES.length, arity: ROW_ARITY, bytes: inner.real.bytes };
  const workers = new Workers(threads, all.workerCode, start, all);
  const pool = new Pool(inner, workers, memory, all);
  abandoned ??= new FinalizationRegistry((workers) => workers.dismissAll());
  abandoned.register(pool, workers);
  return pool;
}

/** A kernel that shares the work that is worth sharing, and leaves the rest to the calling thread. */
export class Pool implements Omit<Kernel, "backend" | "real"> {
  /** Parameters that workers had claimed when they were given up, and that no error has named yet. */
  #lost: Bytes[] = [];

  constructor(
    private readonly inner: Kernel,
    private readonly workers: Workers,
    private readonly memory: WebAssembly.Memory,
    private readonly settings: PoolSettings,
  ) {}

  get threads(): number {
    return 1 + this.workers.count(AWAKE, PARKED);
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

  /** Updates all elements but those of workers that are given up meanwhile, which `settle` names then. */
  update(segment: Segment, scalars: Scalars): void {
    const { count, param } = segment;
    if (!this.#hasHelpFor(count)) {
      this.inner.update(segment, scalars);
      if (count >= this.settings.cutoff) this.workers.noteAlone();
      return;
    }
    const { bytes } = this.inner.real;
    const misalignment = (param % CACHE_LINE_BYTES) / bytes;
    const { minChunk } = this.settings;
    // Chunks end at cache lines of the parameters.
    const chunkElements = this.#chunkElements(count + misalignment, minChunk, CACHE_LINE_BYTES / bytes);
    const args = argumentsOf(segment, scalars);
    const owners = this.workers.run({ kind: UPDATE, count, chunkElements, misalignment, args }, (from, to) =>
      this.inner.update(partOf(segment, from, to, bytes), scalars),
    );
    if (owners.includes(NOBODY)) this.#noteLost(owners, param);
  }

  /**
   * Updates rows, or brings them up to date, as `update` does elements. A list of rows is read by all who share it, so it must
   * stay as it is as long as `hasLate`: until then rows are the calling thread's alone, which has another list.
   */
  updateRows(segment: Segment, scalars: Scalars, rows: Rows): void {
    const price = priceOf(rows.count, segment.count);
    if (this.hasLate() || !this.#hasHelpFor(price)) {
      this.inner.updateRows(segment, scalars, rows);
      if (price >= this.settings.cutoff) this.workers.noteAlone();
      return;
    }
    const { count } = rows;
    const least = Math.ceil(this.settings.minChunk / priceOf(1, segment.count));
    const chunkElements = this.#chunkElements(count, least, 1);
    const args = rowArgumentsOf(segment, scalars, rows);
    const owners = this.workers.run(
      { kind: UPDATE_ROWS, count, chunkElements, misalignment: 0, args },
      (from, to) => this.inner.updateRows(segment, scalars, partOfRows(rows, from, to)),
    );
    if (owners.includes(NOBODY)) this.#noteLostRows(owners, segment, rows);
  }

  hasLate(): boolean {
    return this.workers.hasLate();
  }

  #hasHelpFor(count: number): boolean {
    const { cutoff, wakeCutoff } = this.settings;
    return count >= cutoff && this.workers.hasHelp(count >= wakeCutoff);
  }

  settle(groups: readonly SettledGroup[], hold: Hold): void {
    if (this.#lost.length > 0) {
      const lost = this.#lost;
      this.#lost = [];
      this.workers.inform(hold);
      throw lostError(lost, groups, this.inner.real.bytes);
    }
    if (this.hasLate()) throw lateError();
  }

  sumOfSquares(grad: number, count: number, scale: number): number {
    const { inner } = this;
    if (!this.#hasHelpToSum(count)) return inner.sumOfSquares(grad, count, scale);
    return this.#sums(SUM_OF_SQUARES, inner.sumOfSquares, [grad], count, [scale]).reduce(add, 0);
  }

  innerProduct(...args: Parameters<Kernel["innerProduct"]>): number {
    const [grad, moved, count, ...factors] = args;
    const { innerProduct } = this.inner;
    if (!this.#hasHelpToSum(count)) return innerProduct(...args);
    return this.#sums(INNER_PRODUCT, innerProduct, [grad, moved], count, factors).reduceRight(add, 0);
  }

  #hasHelpToSum(count: number): boolean {
    return count >= this.settings.sumCutoff && this.workers.hasHelp(true);
  }

  /** The sums of blocks, to be added up in the order in which one thread adds them. */
  #sums(
    kind: number,
    kernel: (...args: never[]) => number,
    addresses: number[],
    count: number,
    factors: number[],
  ): number[] {
    const { bytes } = this.inner.real;
    const sums: number[] = [];
    for (let done = 0; done < count; done += MAX_BLOCKS * BLOCK) {
      const work = { addresses: addresses.map((address) => address + done * bytes), factors, bytes };
      const elements = Math.min(count - done, MAX_BLOCKS * BLOCK);
      sums.push(...this.#sumsOfBlocks(kind, kernel as Call, work, elements));
    }
    return sums;
  }

  /** Those of one job. */
  #sumsOfBlocks(kind: number, sumOf: Call, work: Work, count: number): Float64Array {
    const { control } = this.workers;
    const chunkElements = this.#chunkElements(count, this.settings.minSumChunk, BLOCK);
    const perform = (from: number, to: number) => sumBlocks(control, 0, work, [from, to], sumOf);
    const args = [...work.addresses, ...work.factors];
    const job = { kind, count, chunkElements, misalignment: 0, args };
    const sums = new Float64Array(Math.ceil(count / BLOCK));
    this.workers.run(job, perform).forEach((owner, chunk) => {
      const [from, to] = [startOf(control.job, chunk), startOf(control.job, chunk + 1)];
      // The chunk of a worker that was given up can be done again: that worker writes nothing but sums of its own.
      if (owner === NOBODY) perform(from, to);
      const at = sumsAt(Math.max(owner, 0));
      const [first, end] = [from / BLOCK, Math.ceil(to / BLOCK)];
      sums.set(control.job.subarray(at + first, at + end), first);
    });
    return sums;
  }

  /** Notes elements of the plane at byte `param`, in chunks that nobody has reported. */
  #noteLost(owners: Int8Array, param: number): void {
    const { bytes } = this.inner.real;
    for (const [from, to] of this.#lostIn(owners)) this.#note(param + from * bytes, param + to * bytes);
  }

  #noteLostRows(owners: Int8Array, { param, count }: Segment, rows: Rows): void {
    const rowBytes = count * this.inner.real.bytes;
    const list = new Uint32Array(this.memory.buffer, rows.ptr, rows.count);
    const lost = this.#lostIn(owners).flatMap(([from, to]) => [...list.subarray(from, to)]);
    for (const row of Uint32Array.from(lost).sort())
      this.#note(param + row * rowBytes, param + (row + 1) * rowBytes);
  }

  #lostIn(owners: Int8Array): [from: number, to: number][] {
    const { job } = this.workers.control;
    return [...owners].flatMap((owner, chunk): [number, number][] =>
      owner === NOBODY ? [[startOf(job, chunk), startOf(job, chunk + 1)]] : [],
    );
  }

  #note(from: number, to: number): void {
    const last = this.#lost.at(-1);
    if (last?.to === from) last.to = to;
    else this.#lost.push({ from, to });
  }

  /** Chunks of the same size for each thread, a multiple of `unit`, and large enough to be worth a claim. */
  #chunkElements(count: number, least: number, unit: number): number {
    const { threads } = this.workers.control;
    const most = Math.min(MAX_CHUNKS, threads * this.settings.chunksPerThread);
    const wanted = Math.min(most, Math.max(1, Math.floor(count / least)));
    const chunks = wanted < threads ? wanted : wanted - (wanted % threads);
    return Math.ceil(count / chunks / unit) * unit;
  }
}

/** The rows from one place in the lists to before another. */
function partOfRows(rows: Rows, from: number, to: number): Rows {
  const { ptr, steps, moves } = rows;
  return {
    ...rows,
    ptr: ptr + from * 4,
    count: to - from,
    steps: steps && steps + from * 4,
    moves: moves && moves + from * MOVES_BYTES,
  };
}

const add = (sum: number, block: number) => sum + block;
