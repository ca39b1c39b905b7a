/** When a pool has help: from how many elements, from which workers, and not for a while after one has kept it waiting. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  AWAKE,
  CHUNK_COUNT,
  CHUNK_ELEMENTS,
  CHUNKS,
  EPOCH,
  MISALIGNMENT,
  PARKED,
} from "../../src/threads/protocol.ts";
import type { PoolSettings } from "../../src/threads.ts";
import { scalarsFor } from "../support/kernels.ts";
import { makeTwins } from "../support/pools.ts";
import { type Puppet, puppets, stopClock, usePuppets } from "../support/puppets.ts";

let clock: { now: number };
beforeEach(() => {
  usePuppets();
  clock = stopClock();
});
afterEach(() => {
  for (const puppet of puppets) puppet.emit("exit");
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A pool that tells whether it has shared an update or a sum of so many elements. */
function makePool(settings: Partial<PoolSettings>, threads = 2) {
  const twins = makeTwins(threads, 40_000, settings);
  const workers = puppets.slice(1 - threads);
  const { words, job } = workers[0]!.control;
  const isShared = (work: () => void) => {
    const epoch = words[EPOCH]!;
    work();
    return words[EPOCH] !== epoch;
  };
  return {
    ...twins,
    workers,
    words,
    job,
    shares: (count: number, shift = 0) =>
      isShared(() => twins.pool.update(twins.segmentOf(count, shift), scalarsFor(0))),
    sharesSum: (count: number) => isShared(() => twins.pool.sumOfSquares(1024, count, 1)),
    sharesProduct: (count: number) => isShared(() => twins.pool.innerProduct(1024, 1024, count, 1, 1)),
  };
}

describe("work is shared", () => {
  it("from a number of elements, by a worker that is awake", () => {
    const { shares, sharesSum, sharesProduct, workers, pool } = makePool({
      cutoff: 100,
      wakeCutoff: 1e6,
      sumCutoff: 200,
    });
    expect([shares(100), sharesSum(200), sharesProduct(200)]).toEqual([false, false, false]);
    expect(pool.threads).toBe(1);
    workers[0]!.wake();
    expect(pool.threads).toBe(2);
    expect([shares(99), shares(100), sharesSum(199), sharesSum(200)]).toEqual([false, true, false, true]);
    expect([sharesProduct(199), sharesProduct(200)]).toEqual([false, true]);
  });

  it("by one that sleeps, if there is enough of it, or if the last was just before", () => {
    const { shares, sharesSum, workers, words } = makePool({ cutoff: 100, wakeCutoff: 1000, sumCutoff: 100 });
    workers[0]!.wake(PARKED);
    const notify = vi.spyOn(Atomics, "notify");
    expect([shares(999), notify.mock.calls]).toEqual([false, []]);
    clock.now += 0.3;
    expect([shares(1000), notify.mock.calls]).toEqual([true, [[words, EPOCH]]]);
    // The job before has ended just now, as one does that the calling thread did alone.
    expect(shares(100)).toBe(true);
    clock.now += 0.3;
    expect(shares(100)).toBe(false);
    expect(shares(100)).toBe(true);
    clock.now += 0.3;
    expect(shares(99)).toBe(false);
    expect(shares(100)).toBe(false);
    clock.now += 0.3;
    expect(sharesSum(100)).toBe(true);
    workers[0]!.status = AWAKE;
    notify.mockClear();
    expect([shares(100), notify.mock.calls]).toEqual([true, []]);
  });

  it("by rows, of which each counts as eight elements more; they are noted as well", () => {
    const { pool, segmentOf, words, workers, write, listsPtr } = makePool({ cutoff: 120, wakeCutoff: 1e6 });
    workers[0]!.wake(PARKED);
    write(
      Uint32Array.from({ length: 20 }, (_, i) => i),
      listsPtr,
    );
    const shares = (count: number) => {
      const epoch = words[EPOCH]!;
      const rows = { ptr: listsPtr, count, steps: 0, now: 0, averageKept: 1, powers: 0, moves: 0 };
      pool.updateRows({ ...segmentOf(400), count: 4 }, scalarsFor(0), rows);
      return words[EPOCH] !== epoch;
    };
    expect([shares(9), shares(10), shares(10)]).toEqual([false, false, true]);
    clock.now += 0.3;
    expect([shares(9), shares(9), shares(10)]).toEqual([false, false, false]);
  });
});

describe("chunks", () => {
  it.each([
    [2, 8, 64, [64, 1000, 1024, 1025, 2048, 9999, 40_000]],
    [3, 8, 64, [64, 200, 300, 1000, 40_000]],
    [5, 64, 16, [16, 100, 1000, 40_000]],
    [3, 256, 16, [40_000]],
  ] as const)(
    "of %i threads, %i each, of %i elements and more",
    (threads, chunksPerThread, minChunk, counts) => {
      const { shares, workers, words, job } = makePool({ cutoff: 1, chunksPerThread, minChunk }, threads);
      for (const worker of workers) worker.wake();
      // Some elements behind a cache line's beginning, which the first chunk has less, and all of them as if they were there.
      for (const [i, each] of counts.entries()) {
        const shift = (5 * i) % 16;
        const count = each - shift;
        expect(shares(count, shift)).toBe(true);
        expect(job[MISALIGNMENT]).toBe(shift);
        const [chunks, elements] = [words[CHUNK_COUNT]!, job[CHUNK_ELEMENTS]!];
        // They end at cache lines, and all but the last are whole.
        expect(elements % 16).toBe(0);
        expect(elements).toBeGreaterThanOrEqual(minChunk);
        expect(chunks).toBe(Math.ceil(each / elements));
        const most = Math.min(256, threads * chunksPerThread, Math.max(1, Math.floor(each / minChunk)));
        const wanted = most < threads ? most : most - (most % threads);
        expect(elements).toBe(Math.ceil(each / wanted / 16) * 16);
      }
    },
  );
});

describe("a worker that keeps the calling thread waiting", () => {
  /** A pool of two threads, and a job of two chunks: the calling thread takes so long for one, and then waits for the worker's. */
  function makeSlow(settings: Partial<PoolSettings> = {}) {
    const pool = makePool({ maxBackoff: 8, ...settings });
    const [puppet] = pool.workers as [Puppet];
    puppet.wake();
    const { load, store } = Atomics;
    const take = (ownMs: number, workerMs?: number, chunks = [1], count = 32) => {
      vi.spyOn(pool.inner, "update").mockImplementation(() => {
        clock.now += ownMs;
      });
      if (workerMs !== undefined) {
        vi.spyOn(Atomics, "store").mockImplementation(((words: Int32Array, at: number, value: number) => {
          if (at === EPOCH) for (const chunk of chunks) puppet.claim(chunk);
          return store(words, at, value);
        }) as typeof store);
        let looks = 0;
        vi.spyOn(Atomics, "load").mockImplementation(((words: Int32Array, at: number) => {
          // The first look is that of a thread which searches for work.
          if (at === CHUNKS + chunks[0]! && ++looks === 2) {
            clock.now += workerMs;
            for (const chunk of chunks) puppet.report(chunk);
          }
          return load(words, at);
        }) as typeof load);
      }
      const isShared = pool.shares(count);
      vi.restoreAllMocks();
      vi.spyOn(performance, "now").mockImplementation(() => clock.now);
      return isShared;
    };
    /** How long the calling thread works alone from now on, to a quarter of a millisecond. */
    const aloneMs = () => {
      const start = clock.now;
      while (!pool.shares(32)) clock.now += 0.25;
      return clock.now - start;
    };
    return { take, aloneMs };
  }

  it("has the thread work alone after two late jobs in a row, each time twice as long, up to a limit", () => {
    const { take, aloneMs } = makeSlow();
    expect([take(10, 90), aloneMs()]).toEqual([true, 0]);
    // The job by which that was seen took no time at all, so it was not late.
    expect([take(10, 90), take(10, 90), aloneMs()]).toEqual([true, true, 200]);
    expect([take(10, 90), aloneMs()]).toEqual([true, 0]);
    const { take: late } = makeSlow();
    const seen: number[] = [];
    for (let i = 0; i < 7; i++) {
      const start = clock.now;
      while (!late(10, 90)) clock.now += 10;
      seen.push(clock.now - start - 100);
    }
    // Work that is done alone takes 10 ms, and the program pauses as long.
    expect(seen).toEqual([0, 0, 200, 400, 800, 800, 800]);
  });

  it("is no longer than one and a half times what the calling thread takes alone", () => {
    const { take, aloneMs } = makeSlow();
    expect([take(10, 20), take(10, 20), aloneMs()]).toEqual([true, true, 0]);
    expect([take(10, 20.5), take(10, 20.5), aloneMs()]).toEqual([true, true, 61]);
  });

  it("is measured by the elements that the calling thread has done itself", () => {
    const { take, aloneMs } = makeSlow();
    // Three of four chunks, at 10 ms each: all of them would take it 40.
    const wait = (ms: number) => take(10, ms, [0], 64);
    expect([wait(30), wait(30), aloneMs()]).toEqual([true, true, 0]);
    expect([wait(30.5), wait(30.5), aloneMs()]).toEqual([true, true, 121]);
  });

  it("once, or with one in time between, means nothing", () => {
    const { take } = makeSlow();
    const late = () => take(10, 90);
    expect([late(), take(10, 0), late(), take(10, 0), late(), take(10)]).toEqual(Array(6).fill(true));
  });

  it("has done all of it: then it was given the calling thread's processor", () => {
    const { take, aloneMs } = makeSlow();
    const all = () => take(10, 5, [0, 1]);
    expect([all(), all(), aloneMs()]).toEqual([true, true, 10]);
  });

  it("is never missed longer than it may be late, as often as the limit says", () => {
    const { take, aloneMs } = makeSlow({ timeoutMs: 30 });
    expect([take(10, 90), take(10, 90), aloneMs()]).toEqual([true, true, 60]);
    const never = makeSlow({ maxBackoff: 0 });
    expect([0, 0, 0, 0].map(() => never.take(10, 90))).toEqual([true, true, true, true]);
  });
});
