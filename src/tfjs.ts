/**
 * The drop-in for tf.js: `rmsprop({ lr: 1e-3 })` in place of `tf.train.rmsprop(1e-3)`. It imports the tf.js that the
 * program has installed, and brings none of its own.
 *
 * @module rmsprop-wasm/tfjs
 */
import { RMSPropOptimizer } from "./tfjs/optimizer.ts";
import type { RMSPropOptions } from "./tfjs/options.ts";

/**
 * Makes a `tf.Optimizer`, for `model.compile` or to call `minimize` on. The defaults are tf.js's own: `rmsprop()` is its
 * `optimizer: "rmsprop"`, with a rate of 0.001, and `rmsprop({ lr })` its `tf.train.rmsprop(lr)`.
 *
 * @throws {@link OptionError} for an unknown option or a value out of range.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { rmsprop } from "rmsprop-wasm/tfjs";
 *
 * const w = tf.variable(tf.tensor1d([3]));
 * const optimizer = rmsprop({ lr: 0.1, weightDecay: 1e-3 }); // was tf.train.rmsprop(0.1)
 * for (let step = 0; step < 100; step++) optimizer.minimize(() => tf.sum(tf.square(w)));
 * Math.abs(w.dataSync()[0]) < 0.1; // → true
 * optimizer.iterations; // → 100
 * ```
 */
export function rmsprop(options?: RMSPropOptions): RMSPropOptimizer;
export function rmsprop(...given: [RMSPropOptions?]): RMSPropOptimizer {
  return new RMSPropOptimizer(...given);
}

export {
  BackendError,
  DisposedError,
  NonFiniteError,
  OptionError,
  ParameterError,
  RMSpropError,
  SwappedError,
} from "./errors.ts";
export { dialects } from "./options/dialects.ts";
export type { Hyperparameters, Schedule } from "./options/hyperparameters.ts";
export type { NonFinitePolicy } from "./options/options.ts";
export { RMSPropOptimizer } from "./tfjs/optimizer.ts";
export type { RMSPropOptions } from "./tfjs/options.ts";
export { ScheduleFreeRMSProp } from "./tfjs/schedule-free.ts";
