/** The contract between the optimizer for tf.js and its updaters, one for each kind of backend. */
import { env, getBackend, type Tensor, tensor, type Variable } from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import type { Scalars } from "../kernel/contract.ts";
import type { NonFinitePolicy } from "../options/options.ts";
import { average } from "../options/schedule-free.ts";
import type { Update } from "./gradients.ts";
import type { KeptPlane } from "./weights.ts";

/** State in variables, as tf.js keeps its own: no `tidy` disposes of them, and they move to another backend. */
export type SlotState = { squareAvg: Variable } & Partial<Record<KeptPlane, Variable>>;

/** A variable of the program, and its state. */
export interface Slot {
  readonly variable: Variable;
  readonly state: SlotState;
  /** Count of this variable's updates. The optimizer's count is higher if the variable came later. */
  steps: number;
}

/** Has a card leave out steps whose gradients aren't finite, without a program that waits for it. */
export interface Guard {
  /**
   * Gives 1 if every element of all gradients is finite, else 0, as a scalar that nobody has to read. The caller's `tidy`
   * disposes of it.
   *
   * @throws NonFiniteError for an earlier step, with "throw".
   */
  areFinite(updates: readonly Update[]): Tensor;
  /** Takes note that the step has been taken to which the last scalar belongs. */
  note(): void;
  /** Resolves once `take` doesn't have to wait. @throws NonFiniteError for an earlier step, with "throw". */
  arrive(): Promise<void>;
  /** Gives the count of steps left out since it was last taken. Waits for the card, if there is anything to count. */
  take(): number;
  dispose(): void;
}

/** A way to update variables. Clones and arrays that share a variable's data keep their values. */
export interface Updater {
  /** Sums the squares of a gradient. The sum is finite if and only if every element is. */
  sumOfSquares(gradient: Tensor): number;
  /** @param fine - a scalar that a guard gave: everything stays as it is where that is 0. */
  update(slot: Slot, gradient: Tensor, scalars: Scalars, fine?: Tensor): void;
  /** Puts x, the average of the points of `scheduleFree`, in the place of y: a share of the way to z. */
  average(y: Variable, z: Variable, share: number): void;
  /**
   * Clips gradients by the norm of each and by that of all, one of which is infinite, without reading any number: for
   * backends on which a program waits for what it reads. The caller's `tidy` disposes of the results.
   */
  clip?(gradients: readonly Tensor[], clipNorm: number, globalClipNorm: number): Tensor[];
  /**
   * Makes a guard: for cards, whose `update` takes the scalar that it gives. Gives undefined where sums have to be read
   * instead.
   */
  guard?(policy: Exclude<NonFinitePolicy, "propagate">): Guard | undefined;
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

/** `average` for backends whose values the processor has at hand: the bits of `RMSprop`. */
export function averageInDouble(y: Variable, z: Variable, share: number): void {
  const values = (y.dataSync() as Float32Array).slice();
  average(values, z.dataSync() as Float32Array, share);
  assign(y, values);
}
