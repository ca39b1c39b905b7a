/** The contract between the optimizer for tf.js and its updaters, one for each kind of backend. */
import { env, getBackend, type Tensor, tensor, type Variable } from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import type { Scalars } from "../kernel/contract.ts";
import type { StatePlane } from "../kernel/segment.ts";

/** State in variables, as tf.js keeps its own: no `tidy` disposes of them, and they move to another backend. */
export type SlotState = { squareAvg: Variable } & Partial<Record<StatePlane, Variable>>;

/** A variable of the program, and its state. */
export interface Slot {
  readonly variable: Variable;
  readonly state: SlotState;
  /** Count of this variable's updates. The optimizer's count is higher if the variable came later. */
  steps: number;
}

/** A way to update variables. Clones and arrays that share a variable's data keep their values. */
export interface Updater {
  /** Sums the squares of a gradient. The sum is finite if and only if every element is. */
  sumOfSquares(gradient: Tensor): number;
  /** @param fine - a scalar that `areFinite` gave: everything stays as it is where that is 0. */
  update(slot: Slot, gradient: Tensor, scalars: Scalars, fine?: Tensor): void;
  /**
   * Clips gradients by the norm of each and by that of all, one of which is infinite, without reading any number: for
   * backends on which a program waits for what it reads. The caller's `tidy` disposes of the results.
   */
  clip?(gradients: readonly Tensor[], clipNorm: number, globalClipNorm: number): Tensor[];
  /**
   * Gives 1 if every element of all gradients is finite, else 0, as a scalar that nobody has to read: for cards, whose
   * `update` takes it. Gives undefined where the version of tf.js has no kernels for it.
   */
  areFinite?(gradients: readonly Tensor[]): Tensor | undefined;
}

/**
 * The largest finite number that the backend's tensors hold: that of float32, or of float16 on cards that can't render to
 * float32. There a larger one is infinite, and its difference from itself NaN.
 */
export function largestFinite(): number {
  const isHalf = getBackend() === "webgl" && !env().getBool("WEBGL_RENDER_FLOAT32_ENABLED");
  return isHalf ? 65_504 : FLOAT32.largestFinite;
}

/** Gives a variable new values, in memory that nothing else shares. */
export function assign(variable: Variable, values: Float32Array): void {
  const fresh = tensor(values, variable.shape);
  variable.assign(fresh);
  fresh.dispose();
}
