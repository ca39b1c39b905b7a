/**
 * One of the threads that train together. Each has a share of every batch, and a share of the parameters:
 *
 *     gradients of its images │ sum of everybody's gradients, of its parameters alone → its share of the step │ …
 *                             all wait                                                                        all wait
 */
import { parentPort, workerData } from "node:worker_threads";
import { type Handle, RMSprop } from "rmsprop-wasm";
import type { DataSet } from "../mnist/digits.ts";
import { accumulateGradients, type shapes, type Tensors } from "../mnist/network.ts";
import { seededRandom, shuffle } from "../mnist/random.ts";
import { barrierOn } from "./barrier.ts";

/** The data that `train.ts` starts a thread with. */
export interface Task {
  handle: Handle;
  index: number;
  count: number;
  /** The gradients that each thread writes, by the tensors' names. */
  gradients: Record<keyof Tensors, Float32Array>[];
  barrier: SharedArrayBuffer;
  data: DataSet;
  limit: number;
  epochs: number;
  batch: number;
  seed: number;
}

const { handle, index, count, gradients, barrier, data, limit, epochs, batch, seed }: Task = workerData;
const optimizer = RMSprop.attach<ReturnType<typeof shapes>>(handle);
const { params, grads } = optimizer;
const shard = { index, count };
const ranges = optimizer.shareRanges(shard);
const mine = gradients[index]!;
const waitForAll = barrierOn(barrier, count);

/** The same in every thread, so that all agree on the batches without a word. */
const random = seededRandom(seed);
const order = Uint32Array.from({ length: limit }, (_, i) => i);

for (let epoch = 1; epoch <= epochs; epoch++) {
  shuffle(order, random);
  let loss = 0;
  for (let first = 0; first < limit; first += batch) {
    const images = order.subarray(first, first + batch);
    const parts = gradients.map((_, thread) => partOf(images, thread));
    for (const values of Object.values(mine)) values.fill(0);
    const part = parts[index]!;
    if (part.length > 0) loss += accumulateGradients(params, mine, data, part) * part.length;
    waitForAll();
    // Each thread's gradient is of the mean over its part; wanted is that of the mean over the batch.
    addUp(parts.map((part) => part.length / images.length));
    optimizer.step({ shard });
    waitForAll();
  }
  parentPort!.postMessage({ index, epoch, loss });
}

function partOf(images: Uint32Array, thread: number): Uint32Array {
  const at = (thread: number) => Math.floor((images.length * thread) / count);
  return images.subarray(at(thread), at(thread + 1));
}

/** Sums in the order of the threads, not of their arrival: the same bits in every run. */
function addUp(weights: number[]): void {
  for (const name of Object.keys(mine) as (keyof Tensors)[]) {
    const { start, end } = ranges[name];
    const sum = grads[name].subarray(start, end).fill(0);
    gradients.forEach((of, thread) => {
      const values = of[name].subarray(start, end);
      const weight = weights[thread]!;
      for (let i = 0; i < sum.length; i++) sum[i]! += weight * values[i]!;
    });
  }
}
