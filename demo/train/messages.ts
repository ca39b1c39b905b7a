/** Messages between the page and its training worker. */
import type { Handle, TensorReport } from "rmsprop-wasm";
import type { Tensors } from "../../examples/mnist/network.ts";
import type { Digits } from "./pack.ts";
import type { Settings } from "./trainer.ts";

export type TensorName = keyof Tensors;
export type Weights = Record<TensorName, Float32Array>;

export type ToWorker =
  /** Starts over, and waits for "run". The digits come with the first. */
  | { tell: "begin"; settings: Settings; digits?: Digits }
  | { tell: "settings"; settings: Settings }
  | { tell: "run"; wanted: boolean };

export type FromWorker =
  /** A start, with a handle if memory is shared: the page looks into it. */
  | { tell: "begun"; handle?: Handle }
  | Progress
  /** It has stopped by itself. */
  | { tell: "finished" };

export interface Progress {
  tell: "progress";
  /** Mean loss over the steps since the last message. */
  loss: number;
  steps: number;
  imagesPerSecond: number;
  method: Settings["method"];
  /** Now and then. */
  accuracy?: number;
  report: Record<TensorName, TensorReport>;
  /** A copy, where memory isn't shared. */
  weights?: Weights;
}
