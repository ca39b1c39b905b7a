/** tf.js as bench/peers has it, on every kind of backend that the drop-in tells apart. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

type Core = typeof import("@tensorflow/tfjs-core");
type Layers = typeof import("@tensorflow/tfjs-layers");
export type Tf = Core &
  Pick<Layers, "initializers" | "input" | "layers" | "loadLayersModel" | "model" | "sequential">;
export type DropIn = typeof import("rmsprop-wasm/tfjs");
export type { Tensor, Variable } from "@tensorflow/tfjs-core";
export type { LayersModel } from "@tensorflow/tfjs-layers";
export type { RMSPropOptions } from "rmsprop-wasm/tfjs";

const PEERS = fileURLToPath(new URL("../../bench/peers/", import.meta.url));
const PARTS = ["core", "layers", "backend-cpu", "backend-wasm"];

/** For `describeWith`. */
export const tfjs = {
  name: "tf.js",
  isThere: PARTS.every((part) => existsSync(`${PEERS}node_modules/@tensorflow/tfjs-${part}`)),
  install: "npm ci --prefix bench/peers",
};

/** Each has a way of its own: in place, by copies, and, on one that the drop-in doesn't know, by tf.js's operations. */
export const BACKENDS = ["wasm", "cpu", "unknown"] as const;

/**
 * In the file's own worker alone: tf.js puts a global state and a console banner into whatever process it is in. With
 * `require`, as TypeScript's types of it have no default export for an import to find.
 */
export async function loadTfjs(): Promise<{ tf: Tf; dropIn: DropIn }> {
  const require = createRequire(`${PEERS}package.json`);
  const core: Core = require("@tensorflow/tfjs-core");
  const layers: Layers = require("@tensorflow/tfjs-layers");
  require("@tensorflow/tfjs-backend-cpu");
  require("@tensorflow/tfjs-backend-wasm");
  core.enableProdMode(); // without it the first use prints advice to install another backend
  core.registerBackend("unknown", core.findBackendFactory("cpu"));
  core.copyRegisteredKernels("cpu", "unknown");
  return { tf: { ...core, ...layers } as Tf, dropIn: await import("rmsprop-wasm/tfjs") };
}

/** A variable that alone has its data. */
export function variableOf(tf: Tf, values: ArrayLike<number>, name?: string) {
  const initial = tf.tensor1d(Float32Array.from(values));
  const variable = tf.variable(initial, true, name);
  initial.dispose();
  return variable;
}

export function valuesOf(tensor: { dataSync(): ArrayLike<number> }): Float32Array {
  return Float32Array.from(tensor.dataSync());
}

/** A variable's values after an optimizer was given all of `steps`, the gradients of each. */
export function train(
  tf: Tf,
  optimizer: InstanceType<Tf["Optimizer"]>,
  initial: ArrayLike<number>,
  steps: Iterable<ArrayLike<number>>,
): Float32Array {
  const variable = variableOf(tf, initial);
  for (const values of steps) {
    const gradient = tf.tensor1d(Float32Array.from(values));
    optimizer.applyGradients({ [variable.name]: gradient });
    gradient.dispose();
  }
  const result = valuesOf(variable);
  for (const used of [variable, optimizer]) used.dispose();
  return result;
}
