/** Pools whose workers die: between steps, in the middle of one, before they are up. */
import { setImmediate, setTimeout } from "node:timers/promises";
import { ThreadError } from "rmsprop-wasm";
import { afterEach, describe, expect, it } from "vitest";
import { MOMENTUM } from "../../src/kernel/contract.ts";
import { PLANES } from "../../src/kernel/segment.ts";
import { workerCode } from "../../src/threads/worker.generated.ts";
import { scalarsFor, seeded } from "../support/kernels.ts";
import { makeTwins, workers } from "../support/pools.ts";

afterEach(async () => {
  await Promise.all([...workers].map((worker) => worker.terminate()));
});

describe("workers that die", () => {
  /** Code for workers that die in the middle of a chunk, once in `mean` chunks, having updated half of it. */
  const mortal = (mean: number) => `{
    const { Instance } = WebAssembly;
    WebAssembly.Instance = function (module, imports) {
      const { update, sumOfSquares } = new Instance(module, imports).exports;
      const isLast = () => Math.random() * ${mean} < 1;
      return { exports: {
        update(...args) {
          const last = isLast();
          if (last) args[${PLANES.length + 1}] >>>= 1;
          update(...args);
          if (last) process.exit();
        },
        sumOfSquares(...args) {
          if (isLast()) process.exit();
          return sumOfSquares(...args);
        },
      } };
    };
  } ${workerCode}`;

  it("between steps, at random, are missed and nothing else", async () => {
    const next = seeded(3);
    const count = 8_000;
    let steps = 0;
    let kills = 0;
    while (steps < 4_000) {
      const twins = makeTwins(4, count, { minChunk: 256, timeoutMs: 2_000 });
      const segment = twins.segmentOf(count);
      twins.fill(segment, steps);
      if (next() % 2) await twins.pool.ready;
      for (let i = 0; i < 400; i++, steps++) {
        const victim = [...workers][next() % 100];
        if (victim) {
          kills++;
          void victim.terminate();
        }
        try {
          twins.update(segment, scalarsFor(i % 4));
        } catch (error) {
          // Killed just before the step, a worker can still claim a chunk and die of it.
          expect(error).toBeInstanceOf(ThreadError);
          await twins.pool.ready;
          twins.mend();
        }
        expect(twins.differences()).toEqual([]);
        if (next() % 16 === 0) await setImmediate();
      }
      twins.pool.dispose();
      await Promise.all([...workers].map((worker) => worker.terminate()));
    }
    expect(kills).toBeGreaterThan(10);
  });

  it("in the middle of a step make it throw, and say which parameters nobody knows", async () => {
    const count = 64_000;
    const settings = { minChunk: 256, timeoutMs: 60, workerCode: mortal(2_000) };
    let deaths = 0;
    let halves = 0;
    let steps = 0;
    while ((deaths < 12 || halves === 0) && steps < 100_000) {
      const twins = makeTwins(3, count, settings);
      const segment = twins.segmentOf(count);
      twins.fill(segment, deaths);
      await twins.pool.ready;
      while (twins.pool.threads > 1 && steps < 100_000) {
        const { threads } = twins.pool;
        steps++;
        try {
          twins.update(segment, scalarsFor(MOMENTUM));
          expect(twins.differences()).toEqual([]);
        } catch (error) {
          deaths++;
          expect(error).toBeInstanceOf(ThreadError);
          const { byteOffset, byteLength, message } = error as ThreadError;
          expect(message).toMatch(/A worker died in the middle of a step.*Load a checkpoint/);
          const from = (byteOffset - segment.param) / 4;
          const to = from + byteLength / 4;
          const param = twins
            .differences()
            .filter((i) => i * 4 < segment.grad)
            .map((i) => i - segment.param / 4);
          expect(param.filter((i) => i < from || i >= to)).toEqual([]);
          // None, where a worker was only late, and told so before it had done any harm.
          halves += param.length > 0 ? 1 : 0;
          expect(twins.pool.threads).toBeLessThan(threads);
          await twins.pool.ready; // the dead worker's end is known, or the late one has left
          expect(twins.hold.isHeld).toBe(false);
          twins.mend();
        }
      }
      // The calling thread goes on alone.
      twins.update(segment, scalarsFor(0));
      expect(twins.differences()).toEqual([]);
    }
    expect(deaths).toBeGreaterThanOrEqual(12);
    expect(halves).toBeGreaterThan(0);
  });

  it("in the middle of a sum cost time, and change nothing", async () => {
    const count = 400_000;
    for (let pools = 0; pools < 4; pools++) {
      const twins = makeTwins(3, count, { timeoutMs: 60, workerCode: mortal(100) });
      const { grad } = twins.segmentOf(count);
      twins.fill(twins.segmentOf(count), pools);
      await twins.pool.ready;
      for (let i = 0; i < 1_000 && twins.pool.threads > 1; i++) {
        expect(twins.pool.sumOfSquares(grad, count, 1)).toBe(twins.one.sumOfSquares(grad, count, 1));
      }
      expect(twins.pool.threads).toBe(1);
    }
  });

  it("before they are up are not waited for", async () => {
    const twins = makeTwins(3, 1000, { workerCode: "throw new Error('broken')" });
    await twins.pool.ready;
    expect(twins.pool.threads).toBe(1);
    const silent = makeTwins(2, 1000, { workerCode: "setInterval(() => {}, 1000)" });
    await setTimeout(50);
    expect(silent.pool.threads).toBe(1);
    silent.pool.dispose();
    await silent.pool.ready;
  });
});
