/** The form of a task of the tuning bench. */
import type { Tensors } from "./layers.ts";

export type Random = () => number;

/** A training: the optimizer calls for gradients at each step, and is judged by the loss at the end. */
export interface Task {
  readonly name: string;
  /** The unit of the loss. */
  readonly loss: string;
  readonly steps: number;
  /** So few steps that the default rate doesn't come there: runs of that length show what becomes of it then. */
  readonly tooFew?: number;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  start(params: Tensors, random: Random): void;
  /** Adds the gradients of a step to `grads`, which are zeros. */
  gradients(params: Tensors, grads: Tensors, random: Random): void;
  /** The loss on data that the training doesn't see. Lower is better. */
  evaluate(params: Tensors): number;
}
