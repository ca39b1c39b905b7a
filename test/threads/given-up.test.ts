/** Workers that die or stand still in the middle of a job, in every order of events, on a clock that the test turns. */
import { ThreadError } from "rmsprop-wasm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { partOf, segmentAt } from "../../src/kernel/segment.ts";
import { lostError } from "../../src/threads/lost.ts";
import { CALLER_IS_PARKED, CHUNKS, DISMISSED, EPOCH, LOST } from "../../src/threads/protocol.ts";
import { scalarsFor } from "../support/kernels.ts";
import { makeTwins } from "../support/pools.ts";
import { beforeExchanges, type Puppet, puppets, stopClock, usePuppets } from "../support/puppets.ts";

let clock: { now: number };
beforeEach(() => {
  usePuppets();
  clock = stopClock(0.05);
});
afterEach(() => {
  for (const puppet of puppets) puppet.emit("exit");
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const TIMEOUT = 400;
const SLICE = 50;

/** A pool of one worker, for four chunks of 16 elements: the last is claimed by the worker as soon as a job has begun. */
function makeClaimed({ count = 64, claimed = 3, minChunk = 16 } = {}) {
  const twins = makeTwins(2, count, { timeoutMs: TIMEOUT, minChunk });
  const [worker] = puppets.slice(-1) as [Puppet];
  const segment = twins.segmentOf(count);
  twins.fill(segment, 1);
  worker.wake();
  const { inner } = twins;
  const update = inner.update;
  for (const name of ["update", "updateRows", "sumOfSquares"] as const) {
    const alone = inner[name] as (...args: unknown[]) => never;
    let lastEpoch = 0;
    vi.spyOn(inner, name).mockImplementation((...args: unknown[]) => {
      const epoch = worker.control.words[EPOCH]!;
      if (epoch !== lastEpoch) worker.claim(claimed);
      lastEpoch = epoch;
      return alone(...args);
    });
  }
  /** Sleeps of the calling thread; a hook comes in each. */
  const sleeps: number[] = [];
  const sleepWith = (hook: () => void) =>
    vi.spyOn(Atomics, "wait").mockImplementation(((
      _words: Int32Array,
      _at: number,
      _value: number,
      ms: number,
    ) => {
      sleeps.push(ms);
      hook();
      return "timed-out";
    }) as typeof Atomics.wait);
  return {
    ...twins,
    worker,
    segment,
    sleeps,
    sleepWith,
    step: () => twins.update(segment, scalarsFor(0)),
    /** The worker does its chunk, and reports. */
    finish: () => {
      update(partOf(segment, 48, 64, 4), scalarsFor(0));
      worker.report(3);
    },
  };
}
type Claimed = ReturnType<typeof makeClaimed>;

/** Has the worker stand still until it's given up. */
function loseStep(pool: Claimed): ThreadError {
  pool.sleepWith(() => {
    clock.now += SLICE;
  });
  try {
    pool.step();
  } catch (error) {
    return error as ThreadError;
  }
  throw new Error("nothing was lost");
}

describe("a worker that holds a claim", () => {
  it("is waited for, in sleep, until it reports", () => {
    const { worker, step, finish, sleepWith, sleeps, differences, pool } = makeClaimed();
    const { words } = worker.control;
    sleepWith(() => {
      expect(words[CALLER_IS_PARKED]).toBe(1);
      clock.now += SLICE;
      if (sleeps.length === 3) finish();
    });
    step();
    expect(sleeps).toEqual([SLICE, SLICE, SLICE]);
    expect(words[CALLER_IS_PARKED]).toBe(0);
    expect(differences()).toEqual([]);
    expect(pool.hasLate()).toBe(false);
    expect(pool.threads).toBe(2);
  });

  it("is watched for a moment before the calling thread sleeps", () => {
    const { step, finish, sleepWith } = makeClaimed();
    const wait = sleepWith(() => {});
    let looks = 0;
    const { load } = Atomics;
    vi.spyOn(Atomics, "load").mockImplementation(((words: Int32Array, at: number) => {
      if (at === CHUNKS + 3 && ++looks === 64 * 3) finish();
      return load(words, at);
    }) as typeof load);
    step();
    expect(looks).toBeGreaterThanOrEqual(64 * 3);
    expect(wait).not.toHaveBeenCalled();
  });

  it("is given up when the time is over, and not before; the error names its elements", () => {
    const pool = makeClaimed();
    const error = loseStep(pool);
    expect(pool.sleeps).toHaveLength(TIMEOUT / SLICE);
    expect(error).toBeInstanceOf(ThreadError);
    expect(error.message).toMatch(
      /^A worker died in the middle of a step.*"w"\[48 to 63\] in group 0\. Load a checkpoint/,
    );
    expect(error.lost).toEqual([{ group: 0, name: "w", start: 48, end: 64 }]);
    expect([error.byteOffset, error.byteLength]).toEqual([pool.segment.param + 48 * 4, 64]);
    const { words } = pool.worker.control;
    expect(words[CHUNKS + 3]).toBe((words[EPOCH]! << 8) | LOST);
    expect(pool.worker.status).toBe(DISMISSED);
    // All others are updated.
    const wrong = pool.differences().map((word) => word - pool.segment.param / 4);
    expect(wrong.filter((i) => i >= 0 && i < 48)).toEqual([]);
  });

  it("is ended by nobody and refused all reading, until it has left: it may still write", async () => {
    const pool = makeClaimed();
    loseStep(pool);
    expect(pool.worker.isTerminated).toBe(false);
    const settle = () => pool.pool.settle([], pool.hold);
    const isReady = vi.fn();
    const ready = pool.pool.ready.then(isReady);
    expect(pool.worker.isKept).toBe(true);
    for (let i = 0; i < 2; i++) {
      expect(pool.hold.isHeld).toBe(true);
      expect(pool.pool.hasLate()).toBe(true);
      expect(settle).toThrow(ThreadError);
      expect(settle).toThrow(
        /^A worker that was given up in an earlier step may still write.*so nothing was done/,
      );
      pool.worker.emit("message"); // as one that tells it's up
      for (let tick = 0; tick < 10; tick++) await Promise.resolve();
      expect(isReady).not.toHaveBeenCalled();
    }
    pool.worker.leave();
    await ready;
    expect(pool.hold.isHeld).toBe(false);
    expect(pool.pool.hasLate()).toBe(false);
    expect(settle).not.toThrow();
    expect(pool.worker.isKept).toBe(false);
    expect(pool.pool.threads).toBe(1);
  });

  it("is known to have left by its word alone, before any message", () => {
    const pool = makeClaimed();
    loseStep(pool);
    pool.worker.status = 4;
    expect(pool.pool.hasLate()).toBe(false);
    expect(pool.hold.isHeld).toBe(false);
  });

  it("isn't late because all the process stood still", () => {
    const { step, finish, sleepWith, sleeps, differences } = makeClaimed();
    sleepWith(() => {
      clock.now += 60_000;
      if (sleeps.length === TIMEOUT / SLICE) finish();
    });
    step();
    expect(differences()).toEqual([]);
  });

  it("is believed when it reports at the moment at which it is given up", () => {
    const pool = makeClaimed();
    beforeExchanges((_words, _at, _old, to) => {
      if ((to & 255) === LOST) pool.finish();
    });
    pool.sleepWith(() => {
      clock.now += SLICE;
    });
    pool.step();
    expect(pool.differences()).toEqual([]);
    expect(pool.pool.threads).toBe(2);
  });

  it("isn't ended by dispose either, which waits for nothing", async () => {
    const pool = makeClaimed();
    loseStep(pool);
    const { ready } = pool.pool;
    pool.pool.dispose();
    await ready;
    expect(pool.worker.isTerminated).toBe(false);
    expect(pool.hold.isHeld).toBe(true);
    pool.worker.leave();
    expect(pool.hold.isHeld).toBe(false);
  });

  it("is given up at once when it has died", async () => {
    const pool = makeClaimed();
    let isDead = false;
    vi.mocked(pool.inner.update).mockImplementationOnce(() => {
      pool.worker.claim(3);
      isDead = true;
      pool.worker.emit("exit");
    });
    const wait = pool.sleepWith(() => {});
    expect(pool.step).toThrow(/"w"\[48 to 63\]/);
    expect([isDead, wait.mock.calls.length]).toEqual([true, 0]);
    // Nothing of it is left to be waited for.
    await pool.pool.ready;
    expect(pool.hold.isHeld).toBe(false);
    expect(() => pool.pool.settle([], pool.hold)).not.toThrow();
  });

  it("is watched where the calling thread may not sleep, as on a page", () => {
    const wait = vi.spyOn(Atomics, "wait").mockImplementation(() => {
      throw new TypeError("Atomics.wait cannot be called in this context");
    });
    const pool = makeClaimed();
    const { load } = Atomics;
    let looks = 0;
    vi.spyOn(Atomics, "load").mockImplementation(((words: Int32Array, at: number) => {
      if (at === CHUNKS + 3 && ++looks === 6_400) pool.finish();
      return load(words, at);
    }) as typeof load);
    pool.step();
    expect(wait).toHaveBeenCalledTimes(1);
    expect(pool.differences()).toEqual([]);
  });

  it("of a sum is ended, and its chunk is done again: nothing is lost", () => {
    const count = 4 * 4096;
    const pool = makeClaimed({ count, claimed: 2 });
    pool.sleepWith(() => {
      clock.now += SLICE;
    });
    const { grad } = pool.segment;
    expect(pool.pool.sumOfSquares(grad, count, 1)).toBe(pool.one.sumOfSquares(grad, count, 1));
    expect(pool.worker.isTerminated).toBe(true);
    expect(pool.worker.status).toBe(DISMISSED);
    expect(pool.pool.hasLate()).toBe(false);
    expect(() => pool.pool.settle([], pool.hold)).not.toThrow();
  });

  it("of rows loses them, which are named in ascending order, neighbours together", () => {
    const [width, total] = [4, 64];
    const pool = makeClaimed({ count: width * total, minChunk: 16 * (8 + width) });
    const list = Uint32Array.from({ length: 4 * 16 }, (_, i) => i);
    // Those of the fourth chunk: 40, 8, 7 and 9 to 21.
    list.set([40, 8, 7, ...Array.from({ length: 13 }, (_, i) => i + 9)], 48);
    pool.write(list, pool.listsPtr);
    pool.sleepWith(() => {
      clock.now += SLICE;
    });
    const rows = { ptr: pool.listsPtr, count: 64, steps: 0, now: 0, averageKept: 1, powers: 0, moves: 0 };
    const update = () => pool.updateRows({ ...pool.segment, count: width }, total, scalarsFor(0), rows);
    expect(update).toThrow('"w"[28 to 87] in group 0; "w"[160 to 163] in group 0.');
    expect([pool.pool.hasLate(), pool.worker.isTerminated]).toEqual([true, false]);
    // Rows are the calling thread's alone as long as the worker may read the list.
    const before = pool.pool.chunksDone;
    pool.pool.updateRows({ ...pool.segment, count: width }, scalarsFor(0), rows);
    expect(pool.pool.chunksDone).toEqual(before);
  });
});

describe("the error of what was lost", () => {
  const tensors = ["a", "b", "c", "d", "e", "x".repeat(80)].map((name, i) => ({
    name,
    segment: segmentAt({ param: 1000 + 400 * i }, 100),
  }));
  const groups = [{ tensors: tensors.slice(0, 2) }, { tensors: tensors.slice(2) }];

  it("names four pieces, and counts the others", () => {
    const error = lostError([{ from: 1040, to: 3200 }], groups, 4);
    expect(error.message).toContain(
      '"a"[10 to 99] in group 0; "b"[0 to 99] in group 0; "c"[0 to 99] in group 1; "d"[0 to 99] in group 1; 2 more, in this error\'s `lost`.',
    );
    expect(error.lost.map(({ group, name, start, end }) => [group, name[0], start, end])).toEqual([
      [0, "a", 10, 100],
      [0, "b", 0, 100],
      [1, "c", 0, 100],
      [1, "d", 0, 100],
      [1, "e", 0, 100],
      [1, "x", 0, 50],
    ]);
    expect([error.byteOffset, error.byteLength]).toEqual([1040, 2160]);
  });

  it("names no more than there is, of several places, with a long name's begin", () => {
    const ranges = [
      { from: 3000, to: 3008 },
      { from: 1400, to: 1800 },
      { from: 1000, to: 1008 },
    ];
    const error = lostError(ranges, groups, 4);
    expect(error.message).toMatch(
      /: "a"\[0 to 1\] in group 0; "b"\[0 to 99\] in group 0; "x{60}"\[0 to 1\] in group 1\. Load/,
    );
    expect(error.message).not.toContain("more, in");
    expect([error.byteOffset, error.byteLength]).toEqual([1000, 2008]);
    const four = [1000, 1400, 1800, 2200].map((from) => ({ from, to: from + 8 }));
    expect(lostError(four, groups, 4).message).not.toContain("more, in");
  });
});
