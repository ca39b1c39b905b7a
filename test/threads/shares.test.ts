/** Work that a worker shares, which comes up in the middle of it: the worker's own program, in the thread of the test. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FLOAT32, FLOAT64, type Real } from "../../src/base/real.ts";
import { AVERAGED, MOMENTUM, MOVES } from "../../src/kernel/contract.ts";
import {
  ARGUMENTS,
  AWAKE,
  CHUNK_COUNT,
  CHUNKS,
  DISMISSED,
  EPOCH,
  LEFT,
  PARKED,
} from "../../src/threads/protocol.ts";
import { scalarsFor, VARIANTS } from "../support/kernels.ts";
import { makeTwins } from "../support/pools.ts";
import {
  beforeExchanges,
  loadProgram,
  type Program,
  type Puppet,
  puppets,
  stopClock,
  usePuppets,
} from "../support/puppets.ts";

let program: Program;
const post = vi.fn();
const close = vi.fn();
beforeEach(async () => {
  usePuppets();
  program = await loadProgram({ post, close });
  // One millisecond for each look, so that watching ends at once.
  stopClock(1);
});
afterEach(() => {
  for (const puppet of puppets) puppet.emit("exit");
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

/** Offers the last job once more, and gives its epoch. */
function offerAgain(words: Int32Array): number {
  const epoch = words[EPOCH]! + 1;
  words.fill(epoch << 8, CHUNKS, CHUNKS + words[CHUNK_COUNT]!);
  words[EPOCH] = epoch;
  return epoch;
}

/** A pool whose worker comes up when the calling thread has begun a job, and does as much as is left; then it leaves. */
function makeShared(count: number, real: Real = FLOAT32, settings = {}) {
  const twins = makeTwins(2, count, settings, real);
  const [puppet] = puppets.slice(-1) as [Puppet];
  for (const name of ["update", "updateRows", "sumOfSquares", "innerProduct"] as const) {
    const alone = twins.inner[name] as (...args: unknown[]) => never;
    vi.spyOn(twins.inner, name).mockImplementation((...args: unknown[]) => {
      if (puppet.status === AWAKE && !isIdle) puppet.run(program);
      return alone(...args);
    });
  }
  let isIdle = false;
  /** Chunks that each thread has done, of a job for which the worker was awake; one that is idle comes too late for any. */
  const sharesOf = (job: () => void, idle = false) => {
    const before = twins.pool.chunksDone;
    isIdle = idle;
    puppet.wake();
    job();
    return twins.pool.chunksDone.map((chunks, thread) => chunks - before[thread]!);
  };
  return { twins, puppet, sharesOf };
}

describe.each([FLOAT32, FLOAT64] as Real[])("the bits of one thread in $name", (real) => {
  it("in every variant, wherever it begins in a cache line", () => {
    const { twins, sharesOf } = makeShared(200, real);
    for (const { variant, name } of VARIANTS) {
      const segment = twins.segmentOf(147, variant % 16);
      twins.fill(segment, variant);
      const shares = sharesOf(() => twins.update(segment, scalarsFor(variant, {}, real)));
      expect(twins.differences(), name).toEqual([]);
      expect(shares[0], name).toBe(1);
      expect(shares[1], name).toBeGreaterThan(3);
    }
  });

  it.each([0, MOMENTUM, MOMENTUM | AVERAGED])("in rows, with variant %i", (variant) => {
    const [width, total, count] = [5, 60, 40];
    const { twins, sharesOf } = makeShared(total * width, real);
    const whole = twins.segmentOf(total * width, 3);
    twins.fill(whole, variant);
    const ptr = twins.listsPtr;
    const [steps, moves] = [ptr + 256, ptr + 512];
    twins.write(
      Uint32Array.from({ length: count }, (_, i) => total - 1 - i),
      ptr,
    );
    twins.write(
      Uint32Array.from({ length: count }, (_, i) => 44 + (i % 7)),
      steps,
    );
    twins.write(
      Float64Array.from({ length: count * MOVES.length }, (_, i) => ((i * 37) % 64) / 64),
      moves,
    );
    const rows = { ptr, count, now: 50, averageKept: 0.9, powers: 0 };
    const lists = [
      { ...rows, steps: 0, moves: 0 },
      { ...rows, steps, moves: 0 },
      { ...rows, steps, moves },
    ];
    for (const list of lists.slice(0, variant & MOMENTUM ? 3 : 2)) {
      const update = () =>
        twins.updateRows({ ...whole, count: width }, total, scalarsFor(variant, {}, real), list);
      const shares = sharesOf(update);
      expect(twins.differences()).toEqual([]);
      expect(shares[0]).toBe(1);
      expect(shares[1]).toBeGreaterThan(4);
      expect(sharesOf(update, true)).toEqual([shares[1]! + 1, 0]);
      expect(twins.differences()).toEqual([]);
    }
  });

  it("in sums, whose blocks are added in their order", () => {
    const count = 5 * 4096 + 3;
    const { twins, sharesOf } = makeShared(count, real);
    const { grad, moved } = twins.segmentOf(count);
    twins.fill(twins.segmentOf(count), 1);
    const sums = [
      [() => twins.pool.sumOfSquares(grad, count, 0.5), twins.one.sumOfSquares(grad, count, 0.5)],
      [
        () => twins.pool.innerProduct(grad, moved, count, -1.5, 0.75),
        twins.one.innerProduct(grad, moved, count, -1.5, 0.75),
      ],
    ] as const;
    for (const [sum, expected] of sums) {
      let found = NaN;
      const shares = sharesOf(() => {
        found = sum();
      });
      expect(found).toBe(expected);
      expect(shares).toEqual([1, 5]);
    }
    expect(twins.differences()).toEqual([]);
  });
});

describe("a worker's program", () => {
  it("tells that it is up, and that it has left", () => {
    const { puppet } = makeShared(64);
    const seen: number[] = [];
    post.mockImplementation(() => seen.push(puppet.status));
    puppet.run(program);
    expect(seen).toEqual([AWAKE, LEFT]);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it("sleeps when it has watched in vain, and does its part of the job for which it is woken", () => {
    const { twins, puppet } = makeShared(64);
    const { words } = puppet.control;
    const segment = twins.segmentOf(64);
    twins.fill(segment, 1);
    puppet.wake();
    twins.update(segment, scalarsFor(0));
    const states: number[] = [];
    puppet.run(program, () => {
      states.push(puppet.status);
      if (states.length > 2) return puppet.dismiss();
      // The same job once more, then a wake without one.
      if (states.length > 1) return;
      offerAgain(words);
    });
    expect(states).toEqual([PARKED, PARKED, PARKED]);
    twins.one.update(segment, scalarsFor(0));
    expect(twins.differences()).toEqual([]);
  });

  it("sees a job without sleeping, as long as it watches", () => {
    const { twins, puppet } = makeShared(64);
    const { words } = puppet.control;
    const segment = twins.segmentOf(64);
    twins.fill(segment, 1);
    puppet.wake();
    twins.update(segment, scalarsFor(0));
    let looks = 0;
    let sleeps = 0;
    vi.mocked(performance.now).mockImplementation(() => {
      // At the second look, the time isn't over yet.
      if (++looks === 2) {
        offerAgain(words);
        return 1.1;
      }
      return looks;
    });
    puppet.run(program, () => {
      sleeps++;
      puppet.dismiss();
    });
    expect(sleeps).toBe(1);
    twins.one.update(segment, scalarsFor(0));
    expect(twins.differences()).toEqual([]);
  });

  it.each(["is up", "sleeps", "has slept"])("leaves when it is told so before it %s", (when) => {
    const { puppet } = makeShared(64);
    const seen: number[] = [];
    post.mockImplementation(() => seen.push(puppet.status));
    let sleeps = 0;
    if (when === "sleeps") {
      let now = 0;
      vi.mocked(performance.now).mockImplementation(() => {
        puppet.dismiss();
        return now++;
      });
    }
    const run = () =>
      puppet.run(program, () => {
        sleeps++;
        puppet.dismiss();
      });
    if (when === "is up") {
      const { compareExchange } = Atomics;
      vi.spyOn(Atomics, "compareExchange").mockImplementationOnce(((
        ...args: Parameters<typeof compareExchange>
      ) => {
        puppet.dismiss();
        return compareExchange(...args);
      }) as typeof compareExchange);
    }
    run();
    expect(seen).toEqual(when === "is up" ? [LEFT] : [AWAKE, LEFT]);
    expect(sleeps).toBe(when === "has slept" ? 1 : 0);
    expect(puppet.status).toBe(LEFT);
  });

  it("leaves when a claim of its was revoked, without another chunk", () => {
    const { twins, puppet } = makeShared(64);
    const segment = twins.segmentOf(64);
    twins.fill(segment, 1);
    puppet.wake();
    twins.update(segment, scalarsFor(0));
    const { words, job } = puppet.control;
    const epoch = offerAgain(words);
    const before = twins.pool.chunksDone;
    // The claim of its second chunk doesn't stand any more when it looks again.
    const claimed = (epoch << 8) | 2;
    beforeExchanges((words, at, old, to) => {
      if (at === CHUNKS + 3 && old === claimed && to === claimed) words[at] = (epoch << 8) | 255;
    });
    const asleep = vi.fn(() => puppet.dismiss());
    puppet.run(program, asleep);
    expect(asleep).not.toHaveBeenCalled();
    expect(twins.pool.chunksDone[1]! - before[1]!).toBe(1);
    expect(puppet.status).toBe(LEFT);
    expect(job[ARGUMENTS]).toBe(0);
  });

  it("runs in Node with the data that it was started with, and tells its parent", async () => {
    const { puppet } = makeShared(64);
    puppet.status = DISMISSED;
    const postMessage = vi.fn();
    const workerData = puppet.options.workerData;
    vi.stubGlobal("process", {
      ...process,
      getBuiltinModule: () => ({ workerData, parentPort: { postMessage } }),
    });
    vi.resetModules();
    await import("../../src/threads/worker.ts");
    expect(postMessage.mock.calls).toEqual([[0]]);
    expect(puppet.status).toBe(LEFT);
    expect(close).not.toHaveBeenCalled();
  });
});
