/**
 * Prints how many bytes of JavaScript heap a step leaves behind. Five times 100,000 steps, and the median: a leak shows
 * in each, what the engine compiles or lets go meanwhile (some 200 kB at a time) in one. Needs --expose-gc.
 */
import { writeSync } from "node:fs";
import { RMSprop } from "rmsprop-wasm";

const STEPS = 100_000;
const optimizer = new RMSprop({ w: [3, 4], b: [4] }, { momentum: 0.9, centered: true });
const { grads } = optimizer;

if (!globalThis.gc) throw new Error("Run this with --expose-gc.");

function heapAfterSteps() {
  for (let i = 0; i < STEPS; i++) {
    grads.w[0] = i;
    optimizer.step();
  }
  // A second collection frees what the first one's finalizers let go.
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const heaps = Array.from({ length: 6 }, heapAfterSteps);
const growths = heaps.slice(1).map((heap, i) => (heap - (heaps[i] ?? 0)) / STEPS);
growths.sort((a, b) => a - b);
writeSync(1, String(growths[2]));
