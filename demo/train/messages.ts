/** Messages between the page and its training worker. */
import type { Handle, TensorReport } from "rmsprop-wasm";
import type { Tensors } from "../../examples/mnist/network.ts";
import type { Digits } from "./pack.ts";
import type { Broken, Method, Rates } from "./trainer.ts";

export type TensorName = keyof Tensors;
export type Weights = Record<TensorName, Float32Array>;

export type ToWorker =
  /** Starts over, and waits for "run". The digits come with the first. */
  | { tell: "begin"; rates: Rates; digits?: Digits }
  | { tell: "rates"; rates: Rates }
  | { tell: "run"; wanted: boolean };

export type FromWorker =
  /** A start, with handles if memory is shared: the page looks into it. */
  | { tell: "begun"; handles?: Record<Method, Handle> }
  | Progress
  /** It has stopped by itself. */
  | { tell: "finished" };

export interface Progress {
  tell: "progress";
  /** Steps of each method that isn't broken. */
  steps: number;
  /** The throughput of both methods together. */
  imagesPerSecond: number;
  runs: Record<Method, RunProgress>;
}

export interface RunProgress {
  /** Mean loss over the steps since the last message; undefined for a run that was broken before. */
  loss?: number;
  /** Now and then. */
  accuracy?: number;
  broken?: Broken;
  report: Record<TensorName, TensorReport>;
  /** A copy, where memory isn't shared. */
  weights?: Weights;
}
