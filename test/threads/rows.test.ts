/** Steps by rows on several threads: the bits of one, and what becomes of rows whose worker dies or stands still. */
import { setTimeout } from "node:timers/promises";
import { type Options, RMSprop, type StepOptions, ThreadError } from "rmsprop-wasm";
import { afterEach, describe, expect, it } from "vitest";
import { FLOAT32, FLOAT64, type Real } from "../../src/base/real.ts";
import {
  AVERAGED,
  CENTERED,
  FLUSHED,
  IDLE,
  MOMENTUM,
  MOVES,
  ROWWISE,
  ZEROED,
} from "../../src/kernel/contract.ts";
import { workerCode } from "../../src/threads/worker.generated.ts";
import { scalarsFor, seeded } from "../support/kernels.ts";
import { makeTwins, workers } from "../support/pools.ts";

afterEach(async () => {
  await Promise.all([...workers].map((worker) => worker.terminate()));
});

type Twins = ReturnType<typeof makeTwins>;
const TABLE = 600;

/** Draws so many rows, each once, and the steps that they have missed; writes both into the twins' memories. */
function listOf(twins: Twins, count: number, seed: number, { hasMoves = false, offset = 0 } = {}) {
  const next = seeded(seed);
  const drawn = Array.from({ length: TABLE }, (_, row) => [next(), row] as const).sort(([a], [b]) => a - b);
  const ptr = twins.listsPtr + offset;
  const [steps, moves] = [ptr + TABLE * 4, ptr + TABLE * 8];
  twins.write(
    Uint32Array.from(drawn.slice(0, count), ([, row]) => row),
    ptr,
  );
  twins.write(
    Uint32Array.from({ length: count }, () => 50 - (next() % 7)),
    steps,
  );
  if (hasMoves) {
    twins.write(
      Float64Array.from({ length: count * MOVES.length }, () => next() / 2 ** 32),
      moves,
    );
  }
  return { ptr, count, steps, now: 50, averageKept: 0.9, powers: 0, moves: hasMoves ? moves : 0 };
}

describe.each([FLOAT32, FLOAT64] as Real[])("rows on several threads in $name", (real) => {
  it.each([1, 3, 8, 33])(
    "of %i elements get the bits of one thread, whatever their number",
    async (width) => {
      const twins = makeTwins(3, TABLE * width, {}, real);
      await twins.pool.ready;
      const segment = { ...twins.segmentOf(TABLE * width, 3), count: width };
      const variants = [
        0,
        MOMENTUM | ZEROED,
        CENTERED | AVERAGED | FLUSHED,
        MOMENTUM | ROWWISE,
        MOMENTUM | AVERAGED | IDLE,
      ];
      for (const variant of variants) {
        for (const count of [1, 2, 15, 16, 17, 47, 48, 49, 129, TABLE]) {
          twins.fill(twins.segmentOf(TABLE * width, 3), count);
          for (let i = 0; i < 2; i++) {
            const rows = listOf(twins, count, count + i, {
              hasMoves: (variant & (MOMENTUM | AVERAGED)) !== 0,
            });
            twins.updateRows(segment, TABLE, scalarsFor(variant, {}, real), rows);
          }
          expect(twins.differences(), `${variant}, ${count} rows`).toEqual([]);
        }
      }
      expect(Math.min(...twins.pool.chunksDone)).toBeGreaterThan(0);
    },
  );
});

it.each([
  [64, 456],
  [8, 2048],
  [1, 3641],
])("rows of %i are shared from %i up, as 32,768 elements of a dense update are", async (width, least) => {
  const total = 4096;
  const twins = makeTwins(2, total * width, { cutoff: 32_768 });
  await twins.pool.ready;
  const segment = { ...twins.segmentOf(total * width), count: width };
  const rows = { steps: 0, now: 0, averageKept: 1, powers: 0, moves: 0 };
  const chunksAfter = (count: number) => {
    twins.updateRows(segment, total, scalarsFor(0), { ...rows, ptr: twins.listsPtr, count });
    return twins.pool.chunksDone.reduce((sum, chunks) => sum + chunks);
  };
  twins.fill(twins.segmentOf(total * width), 1);
  twins.write(
    Uint32Array.from({ length: total }, (_, row) => row),
    twins.listsPtr,
  );
  const before = chunksAfter(0);
  expect(chunksAfter(least - 1)).toBe(before);
  expect(chunksAfter(least)).toBeGreaterThan(before);
  expect(twins.differences()).toEqual([]);
});

describe("an optimizer with threads", () => {
  const options: (Options & { step?: StepOptions })[] = [
    {},
    { sparse: "lazy", centered: true, nonFinite: "skip" },
    { momentum: 0.9, clipNorm: 0.01, step: { zeroGrad: true } },
    { rowwiseState: true, globalClipNorm: 0.1 },
    { ema: { decay: 0.9 }, weightDecay: 0.01, decoupledWeightDecay: true },
  ];

  // 456 rows of 64 are the least that are shared, and 2,048 the most at once.
  it.each(options)("takes steps by rows with the bits of one: %o", async ({ step, ...options }) => {
    const make = (threads: number) => new RMSprop({ e: [5000, 64], b: [3] }, { threads, ...options });
    const [one, several] = [make(1), make(3)];
    await several.ready;
    expect(several.threads).toBe(3);
    const next = seeded(1);
    for (const count of [454, 455, 456, 1000, 2049, 4999]) {
      const rows = { e: Uint32Array.from({ length: count }, () => next() % 5000) };
      for (const row of rows.e) one.grads.e.fill(next() / 2 ** 32, row * 64, row * 64 + 64);
      several.grads.e.set(one.grads.e);
      for (const shares of [1, 2]) {
        for (const optimizer of [one, several]) {
          if (step?.zeroGrad && shares > 1) continue;
          optimizer.catchUp(rows);
          const shards = shares === 1 || options.nonFinite || options.globalClipNorm ? [undefined] : [1, 0];
          for (const index of shards) {
            const shard = index === undefined ? undefined : { index, count: 2 };
            optimizer.step({ ...step, rows, shard });
          }
        }
      }
    }
    for (const optimizer of [one, several]) optimizer.catchUp();
    expect(several.gradNorm).toBe(one.gradNorm);
    const bytesOf = ({ grads, stateDict }: typeof one) =>
      [grads.e, ...Object.values(stateDict().tensors.e)].map((values) =>
        Buffer.from(Float64Array.from(values).buffer),
      );
    const all = bytesOf(one);
    expect(bytesOf(several).map((bytes, i) => bytes.equals(all[i]!))).toEqual(all.map(() => true));
    several.dispose();
  });
});

describe("workers in the middle of rows", () => {
  const width = 8;
  const settings = { minChunk: 1, timeoutMs: 60 };
  /** Code for workers whose `updateRows` does something else first, with the arguments in `args`. */
  const worker = (first: string) => `{
    const { Instance } = WebAssembly;
    WebAssembly.Instance = function (module, imports) {
      const { updateRows, ...others } = new Instance(module, imports).exports;
      return { exports: { ...others, updateRows(...args) { ${first}; updateRows(...args); } } };
    };
  } ${workerCode}`;

  /** Takes steps until one throws. */
  async function stepUntilLost(twins: Twins) {
    const segment = { ...twins.segmentOf(TABLE * width), count: width };
    twins.fill(twins.segmentOf(TABLE * width), 1);
    await twins.pool.ready;
    for (let i = 0; i < 10_000; i++) {
      const rows = listOf(twins, 500, i);
      try {
        twins.updateRows(segment, TABLE, scalarsFor(0), rows);
        expect(twins.differences()).toEqual([]);
      } catch (error) {
        return { error: error as ThreadError, segment, rows };
      }
    }
    throw new Error("no worker ever claimed rows");
  }

  it("that die make the step throw, and say which rows nobody knows", async () => {
    const code = worker("if (Math.random() < 0.05) process.exit()");
    const twins = makeTwins(3, TABLE * width, { ...settings, workerCode: code });
    const { error, segment } = await stepUntilLost(twins);
    expect(error).toBeInstanceOf(ThreadError);
    const { lost } = error;
    expect(lost.length).toBeGreaterThan(0);
    for (const { start, end } of lost) expect([start % width, end % width]).toEqual([0, 0]);
    const isNamed = (word: number) => {
      const element = word - segment.param / 4;
      return lost.some(({ start, end }) => element >= start && element < end);
    };
    const changed = twins.differences().filter((word) => word * 4 < segment.grad);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter((word) => !isNamed(word))).toEqual([]);
  });

  it("that stand still write nothing but their own rows later, whatever is updated meanwhile", async () => {
    const code = worker(
      "if (Math.random() < 0.02) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)",
    );
    const twins = makeTwins(2, TABLE * width, { ...settings, workerCode: code });
    const { error, segment } = await stepUntilLost(twins);
    expect(error).toBeInstanceOf(ThreadError);
    expect(twins.hold.isHeld).toBe(true);
    expect(twins.pool.hasLate()).toBe(true);
    const lost = new Set(error.lost.map(({ start }) => start / width));
    // The step goes on with another list, elsewhere, on the calling thread: none of these rows is the worker's.
    const rows = listOf(twins, TABLE, 3, { offset: 32_768 });
    const others = Array.from({ length: TABLE }, (_, row) => row).filter(
      (row) => !error.lost.some(({ start, end }) => row * width >= start && row * width < end),
    );
    twins.write(Uint32Array.from(others), rows.ptr);
    const before = twins.pool.chunksDone;
    twins.one.updateRows(segment, scalarsFor(0), { ...rows, count: others.length });
    twins.pool.updateRows(segment, scalarsFor(0), { ...rows, count: others.length });
    expect(twins.pool.chunksDone).toEqual(before);
    await twins.pool.ready;
    await setTimeout(20);
    expect(twins.hold.isHeld).toBe(false);
    // The worker has done its rows after all, so that nothing differs.
    expect(lost.size).toBeGreaterThan(0);
    expect(twins.differences()).toEqual([]);
  });
});
