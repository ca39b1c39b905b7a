/** What the optimizer for tf.js asks of a backend: a variable with its state, and a way to update the two. */
import { type Tensor, tensor, type Variable } from "@tensorflow/tfjs-core";
import type { Scalars } from "../kernel/contract.ts";
import type { StatePlane } from "../kernel/segment.ts";

/** Variables too, as tf.js keeps its state: no `tidy` ends them, and they follow to another backend. */
export type SlotState = { squareAvg: Variable } & Partial<Record<StatePlane, Variable>>;

/** A variable of the program's, and its state. */
export interface Slot {
  readonly variable: Variable;
  readonly state: SlotState;
  /** Updates of this variable: not the optimizer's, since the variable may have come later. */
  steps: number;
}

/** What others hold of the same data, a clone or an array, doesn't change with an update. */
export interface Updater {
  /** The sum of the squares of a gradient, finite just when every element is. */
  sumOfSquares(gradient: Tensor): number;
  update(slot: Slot, gradient: Tensor, scalars: Scalars): void;
}

/** Gives a variable other values, in memory of their own. */
export function assign(variable: Variable, values: Float32Array): void {
  const fresh = tensor(values, variable.shape);
  variable.assign(fresh);
  fresh.dispose();
}
