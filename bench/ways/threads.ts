import { Worker } from "node:worker_threads";
import type { Way } from "../way.ts";
import { compile } from "./assembly.ts";
import { makeOptimizer, planesOf, poolOf, runnerOn } from "./ours.ts";
import { addHalf, FINISHED, STARTED } from "./streams-worker.mjs";

export const pool = poolOf(2, "two threads");

/** The roof that memory sets for two threads, which wait for each other with nothing but a spin: no RMSprop. */
export const streamsOnTwo: Way = {
  name: "streams2",
  title: "the same streams, two threads",
  supports: (work) => work.tensors === 1 && work.variant === "plain" && work.size % 8 === 0,
  async prepare(work) {
    const optimizer = makeOptimizer(work, { threads: 2 });
    const { memory } = optimizer;
    const cells = new Int32Array(new SharedArrayBuffer(256));
    const data = {
      ...planesOf(optimizer),
      count: work.size / 2,
      module: compile("streams", true),
      memory,
      cells,
    };
    const worker = new Worker(new URL("streams-worker.mjs", import.meta.url), {
      workerData: data,
      execArgv: [],
    });
    await new Promise((resolve) => worker.once("message", resolve));
    const half = addHalf(data, 0);
    const runner = runnerOn(optimizer, work, () => {
      const turn = Atomics.add(cells, STARTED, 1) + 1;
      half();
      while (Atomics.load(cells, FINISHED) !== turn);
    });
    // It spins, which would disturb the other ways between this one's turns.
    const time = (steps: number) => {
      Atomics.store(cells, STARTED, Atomics.load(cells, FINISHED));
      Atomics.notify(cells, STARTED);
      const nanoseconds = runner.time(steps);
      Atomics.store(cells, STARTED, -1);
      return nanoseconds;
    };
    return {
      ...runner,
      time,
      dispose() {
        void worker.terminate();
        runner.dispose();
      },
    };
  },
};
