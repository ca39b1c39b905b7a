/** Data-parallel training: several workers, each with its part of every batch, on one set of parameters. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { RMSprop } from "rmsprop-wasm";
import { CLASSES, type DataSet, PIXELS } from "../mnist/digits.ts";
import { accuracy, initialise, shapes, type Tensors } from "../mnist/network.ts";
import { seededRandom } from "../mnist/random.ts";
import { BARRIER_BYTES } from "./barrier.ts";
import type { Task } from "./worker.ts";

export interface Options {
  workers: number;
  epochs: number;
  /** Train on the first so many images only. */
  limit: number;
  onEpoch?: (epoch: number, loss: number) => void;
}

export interface Report {
  accuracy: number;
  seconds: number;
  steps: number;
  /** SHA-256 of the parameters: the same in every run with as many workers. */
  digest: string;
}

/** The loader of TypeScript, tsx, doesn't reach workers by itself. Where nothing has to be loaded, it's `worker.ts` alone. */
const bootstrap = `import("tsx/esm/api").then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL("worker.ts", import.meta.url).href)});
})`;

const BATCH = 128;
const SEED = 1;

export async function trainTogether(
  { train, test }: { train: DataSet; test: DataSet },
  { workers, epochs, limit, onEpoch = () => {} }: Options,
): Promise<Report> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1024, shared: true });
  const optimizer = new RMSprop(shapes(PIXELS, 128, CLASSES), { memory, lr: 1e-3 });
  const { params } = optimizer;
  initialise(params, seededRandom(SEED));

  const task: Omit<Task, "index"> = {
    handle: optimizer.handle,
    count: workers,
    gradients: Array.from({ length: workers }, () => sharedLike(params)),
    barrier: new SharedArrayBuffer(BARRIER_BYTES),
    data: { images: shared(train.images), labels: shared(train.labels) },
    limit: Math.min(limit, train.labels.length),
    epochs,
    batch: BATCH,
    seed: SEED,
  };
  const losses = new Array<number>(epochs + 1).fill(0);
  const reports = new Array<number>(epochs + 1).fill(0);
  const start = performance.now();
  await Promise.all(
    Array.from({ length: workers }, async (_, index) => {
      const worker = new Worker(bootstrap, { eval: true, workerData: { ...task, index } });
      worker.on("message", ({ epoch, loss }: { epoch: number; loss: number }) => {
        losses[epoch]! += loss / task.limit;
        if (++reports[epoch]! === workers) onEpoch(epoch, losses[epoch]!);
      });
      await once(worker, "exit");
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return { accuracy: accuracy(params, test), seconds, steps: optimizer.steps, digest: digest(params) };
}

/** Zeros in memory that threads share. */
function sharedLike(tensors: Tensors): Record<keyof Tensors, Float32Array> {
  const copy = (name: keyof Tensors) =>
    new Float32Array(new SharedArrayBuffer(tensors[name].length * Float32Array.BYTES_PER_ELEMENT));
  return { w1: copy("w1"), b1: copy("b1"), w2: copy("w2"), b2: copy("b2") };
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function digest({ w1, b1, w2, b2 }: Tensors): string {
  const hash = createHash("sha256");
  // A copy: what threads share, another could change under the hash.
  for (const tensor of [w1, b1, w2, b2]) hash.update(new Uint8Array(tensor.slice().buffer));
  return hash.digest("hex");
}
