/** In a browser: trains with tf.js's own optimizer and with the drop-in, on each backend asked for, and reports. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgl";
import { rmsprop } from "rmsprop-wasm/tfjs";
import { report } from "./page-report.ts";

export interface Task {
  backends: readonly string[];
  lr: number;
  momentum: number;
  initial: number[];
  /** The gradients of each step. */
  steps: number[][];
}

interface Run {
  values: number[];
  isInPlace: boolean;
  /** Weights on their way to the solution of a least squares problem. */
  solution: number[];
  /** Tensors that are left when all is disposed of. */
  kept: number;
}

export interface Report {
  /** Whether tf.js's heap is, as it is where tf.js has threads. */
  isShared: boolean;
  /** Ours: the browser has some about the web site's headers. */
  warnings: string[];
  runs: Record<string, { ours: Run; theirs: Run }>;
}

const warnings: string[] = [];
console.warn = (...parts) => {
  warnings.push(parts.join(" "));
};

function train(make: () => tf.Optimizer, { initial, steps }: Task): Run {
  const before = tf.memory().numTensors;
  const optimizer = make();
  const variable = tf.tidy(() => tf.variable(tf.tensor1d(initial)));
  const { dataId } = variable;
  for (const values of steps) {
    tf.tidy(() => optimizer.applyGradients({ [variable.name]: tf.tensor1d(values) }));
  }
  const isInPlace = variable.dataId === dataId;
  const values = [...variable.dataSync()];
  const solution = solve(make());
  for (const used of [variable, optimizer]) used.dispose();
  return { values, isInPlace, solution, kept: tf.memory().numTensors - before };
}

/**
 * Learns weights through a product, whose operands some backends keep in another form. Not as far as the solution:
 * around it updates change sign, and roundings grow.
 */
function solve(optimizer: tf.Optimizer): number[] {
  const weights = tf.tidy(() => tf.variable(tf.zeros([3, 2])));
  const inputs = tf.randomUniform([8, 3], -1, 1, "float32", 1) as tf.Tensor2D;
  const targets = tf.randomUniform([8, 2], -1, 1, "float32", 2);
  const loss = () => tf.losses.meanSquaredError(targets, tf.matMul(inputs, weights)) as tf.Scalar;
  for (let step = 0; step < 20; step++) optimizer.minimize(loss);
  const solution = [...weights.dataSync()];
  for (const used of [weights, inputs, targets, optimizer]) used.dispose();
  return solution;
}

async function run(): Promise<Report> {
  const task: Task = await (await fetch("task")).json();
  const { lr, momentum } = task;
  setWasmPaths("./");
  const runs: Report["runs"] = {};
  let isShared = false;
  for (const backend of task.backends) {
    if (!(await tf.setBackend(backend))) throw new Error(`There is no backend ${backend} here.`);
    const { wasm } = tf.backend() as { wasm?: { HEAPU8: Uint8Array } };
    isShared ||= globalThis.crossOriginIsolated && wasm?.HEAPU8.buffer instanceof SharedArrayBuffer;
    runs[backend] = {
      ours: train(() => rmsprop({ lr, momentum }), task),
      theirs: train(() => tf.train.rmsprop(lr, undefined, momentum), task),
    };
  }
  return { isShared, warnings: warnings.filter((text) => text.includes("rmsprop")), runs };
}

report(run);
