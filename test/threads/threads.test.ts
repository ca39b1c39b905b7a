/** The pool of threads: the bits of one thread, and what becomes of it when it idles, ends, or loses workers. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { RMSprop } from "rmsprop-wasm";
import { RMSprop as RMSprop64 } from "rmsprop-wasm/f64";
import { afterEach, describe, expect, it, vi } from "vitest";
import { generateWorker } from "../../scripts/build-worker.mjs";
import { FLOAT32, FLOAT64, type Real } from "../../src/base/real.ts";
import { scalarsFor, seeded, VARIANTS } from "../support/kernels.ts";
import { makeTwins, workers } from "../support/pools.ts";
import { programOf } from "../support/programs.ts";

afterEach(async () => {
  await Promise.all([...workers].map((worker) => worker.terminate()));
});

/** Chunks are of 16 elements at least, and of all sizes that 256 of them give. */
const COUNTS = [1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 95, 97, 511, 1025, 4099, 16_383, 40_001];

describe.each([FLOAT32, FLOAT64] as Real[])("the bits of one thread in $name", (real) => {
  const Entry = real === FLOAT64 ? (RMSprop64 as unknown as typeof RMSprop) : RMSprop;

  it("in every variant, whatever the count and wherever it begins in a cache line", async () => {
    const twins = makeTwins(3, 40_001 + 16, {}, real);
    await twins.pool.ready;
    for (const { variant, name } of VARIANTS) {
      for (const count of COUNTS) {
        const segment = twins.segmentOf(count, (count * 7 + variant) % 16);
        twins.fill(segment, count);
        for (let i = 0; i < 2; i++) twins.update(segment, scalarsFor(variant, {}, real));
        expect(twins.differences(), `${name}, ${count} elements`).toEqual([]);
      }
    }
    expect(Math.min(...twins.pool.chunksDone)).toBeGreaterThan(0);
  });

  it("counts a worker once, also one that falls asleep meanwhile", async () => {
    const count = 4_096;
    const twins = makeTwins(3, count);
    const segment = twins.segmentOf(count);
    twins.fill(segment, 1);
    await twins.pool.ready;
    const seen = new Set<number>();
    for (let round = 0; round < 1_000; round++) {
      twins.update(segment, scalarsFor(0));
      for (let i = 0; i < 2_000; i++) seen.add(twins.pool.threads);
    }
    expect([...seen]).toEqual([3]);
  });

  it.each([2, 3, 5])("from %i threads over many steps, each of which does its part", async (threads) => {
    const twins = makeTwins(threads, 100_000, { minChunk: 1024 }, real);
    await twins.pool.ready;
    const segment = twins.segmentOf(100_000);
    twins.fill(segment, threads);
    let steps = 0;
    for (; steps < 200 || (steps < 20_000 && twins.pool.chunksDone.includes(0)); steps++) {
      twins.update(segment, scalarsFor(0, {}, real));
    }
    expect(twins.differences()).toEqual([]);
    expect(twins.pool.chunksDone).toHaveLength(threads);
    expect(Math.min(...twins.pool.chunksDone)).toBeGreaterThan(0);
  });

  it("in sums of squares, whose blocks are added in their order", async () => {
    const most = 2048 * 4096 + 4099; // more than one job takes
    const twins = makeTwins(3, most, {}, real);
    await twins.pool.ready;
    const counts = [1, 8, 4095, 4096, 4097, 8191, 8193, 5 * 4096, 20 * 4096 + 3, 1_000_001, most];
    for (const count of counts) {
      const segment = twins.segmentOf(count, count % 16);
      if (count < 1e6) twins.fill(segment, count);
      const expected = twins.one.sumOfSquares(segment.grad, count, 1);
      expect(twins.pool.sumOfSquares(segment.grad, count, 1), String(count)).toBe(expected);
      for (let i = 0; i < 1_000 && count === most && twins.pool.chunksDone.includes(0); i++) {
        expect(twins.pool.sumOfSquares(segment.grad, count, 1)).toBe(expected);
      }
    }
    expect(Math.min(...twins.pool.chunksDone)).toBeGreaterThan(0);
  });

  it("through the optimizer, clipped by the global norm", async () => {
    const make = (threads: number) =>
      new Entry(
        { w: [700, 700], b: [3] },
        { threads, momentum: 0.9, weightDecay: 0.01, globalClipNorm: 1, ema: { decay: 0.9 } },
      );
    const [one, several] = [make(1), make(3)];
    expect([one.threads, several.threads]).toEqual([1, 1]);
    const next = seeded(1);
    for (let step = 0; step < 20; step++) {
      if (step === 10) await several.ready; // alone until then, and together from then on
      const [grad, sameGrad] = [one.grads.w, several.grads.w];
      for (let i = 0; i < grad.length; i++) grad[i] = sameGrad[i] = next() / 2 ** 32 - 0.5;
      one.step({ zeroGrad: true });
      several.step({ zeroGrad: true });
      expect(several.gradNorm).toBe(one.gradNorm);
    }
    expect(several.threads).toBe(3);
    const bytesOf = (values: Float32Array) => Buffer.from(values.slice().buffer);
    for (const tensors of ["params", "grads", "ema"] as const) {
      expect(bytesOf(several[tensors].w).equals(bytesOf(one[tensors].w)), tensors).toBe(true);
    }
    several.dispose();
  });
});

describe("a process with a pool", () => {
  const argsFor = async (code: string) => [
    "--expose-gc",
    await programOf(`import { RMSprop } from "./index.ts"; ${code}`),
  ];
  const run = async (code: string) => {
    const { stdout } = await promisify(execFile)(process.execPath, await argsFor(code), { timeout: 280_000 });
    return stdout;
  };

  it("ends by itself", async () => {
    const make = "const optimizer = new RMSprop({ w: [300_000] }, { threads: 3 });";
    const programs = [
      `${make} optimizer.step(); console.log("end");`,
      `${make} await optimizer.ready; for (let i = 0; i < 100; i++) optimizer.step(); console.log("end");`,
      `${make} await optimizer.ready; setTimeout(() => console.log("end"), 100);`,
    ];
    expect(await Promise.all(programs.map(run))).toEqual(["end\n", "end\n", "end\n"]);
  });

  it("waits for ready, whatever was done before and whatever the workers have got to meanwhile", async () => {
    const delays = [0, 1, 2, 4, 8, 16, 32, 64];
    const programs = delays.map(
      (delay) => `
        const optimizer = new RMSprop({ w: [1024, 1024] }, { threads: 2 });
        if (${delay}) await new Promise((resolve) => setTimeout(resolve, ${delay}));
        for (let i = 0; i < 300; i++) optimizer.step();
        await optimizer.ready;
        console.log(optimizer.threads);`,
    );
    for (const program of programs) expect(await run(program)).toBe("2\n");
  });

  it("ends dropped pools before it lacks descriptors, and starts any number that are held", async () => {
    const code = `
      for (let i = 0; i < 250; i++) {
        const dropped = new RMSprop({ w: [1000] }, { threads: 2 });
        if (i % 2) await dropped.ready;
        dropped.step();
      }
      const held = Array.from({ length: 70 }, () => new RMSprop({ w: [1000] }, { threads: 2 }));
      await Promise.all(held.map(({ ready }) => ready));
      console.log(new Set(held.map(({ threads }) => threads)));
    `;
    // A worker of Node takes four descriptors.
    const command = 'ulimit -n 450; exec "$0" "$@"';
    const args = ["-c", command, process.execPath, ...(await argsFor(code))];
    const { stdout } = await promisify(execFile)("sh", args, { timeout: 280_000 });
    expect(stdout).toBe("Set(1) { 2 }\n");
  });

  it("frees a pool's memory once disposed of, though the optimizer and its views are held", async () => {
    const said = await run(`
      const held = [];
      const collected = new Set();
      const registry = new FinalizationRegistry((name) => collected.add(name));
      for (let i = 0; i < 3; i++) {
        const optimizer = new RMSprop({ w: [1000] }, { threads: 2 });
        if (i > 0) await optimizer.ready;
        registry.register(optimizer.memory, i);
        optimizer.step();
        const { groups, params } = optimizer;
        optimizer.dispose();
        held.push([optimizer, groups, params]);
      }
      for (let i = 0; i < 200 && collected.size < held.length; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      console.log(collected.size, held.length);
    `);
    expect(said).toBe("3 3\n");
  });

  it("takes nobody for late who stood still with all the process", async () => {
    const code = `
      const optimizer = new RMSprop({ w: [4_000_000] }, { threads: 2 });
      await optimizer.ready;
      console.log("steps");
      for (let alive = 0, last = performance.now(); alive < 2_000; ) {
        optimizer.step();
        const now = performance.now();
        alive += Math.min(now - last, 100);
        last = now;
      }
      console.log(optimizer.threads);
    `;
    const child = execFile(process.execPath, await argsFor(code));
    let said = "";
    child.stdout!.on("data", (text) => {
      said += text;
    });
    await vi.waitFor(() => expect(said).toBe("steps\n"), 20_000);
    for (let i = 0; i < 3; i++) {
      await setTimeout(100);
      child.kill("SIGSTOP");
      await setTimeout(2_300);
      child.kill("SIGCONT");
    }
    await new Promise((resolve) => child.once("exit", resolve));
    expect(said).toBe("steps\n2\n");
  });

  it("takes no processor time while the pool is idle", async () => {
    const used = await run(`
      const optimizer = new RMSprop({ w: [300_000] }, { threads: 3 });
      await optimizer.ready;
      for (let i = 0; i < 100; i++) optimizer.step();
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      gc();
      await pause(300); // what the engine still compiles
      const before = process.cpuUsage();
      await pause(10_000);
      const { user, system } = process.cpuUsage(before);
      console.log((user + system) / 1000);
    `);
    // Milliseconds of processor time, not of waiting. The timer and the engine's own threads take one or two, and took 49
    // beside the rest of the suite on two busy cores; one worker that watched would take 10,000.
    expect(Number(used)).toBeLessThan(400);
  });
});

it("the workers' code is what the sources bundle to", async () => {
  const url = new URL("../../src/threads/worker.generated.ts", import.meta.url);
  expect(await generateWorker()).toBe(readFileSync(url, "utf8"));
});
