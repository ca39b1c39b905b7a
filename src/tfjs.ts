/**
 * The drop-in for tf.js: `rmsprop({ lr: 1e-3 })` in place of `tf.train.rmsprop(1e-3)`. tf.js itself is not in here: it
 * is the program's own.
 */
import { RMSPropOptimizer } from "./tfjs-optimizer.ts";
import type { RMSPropOptions } from "./tfjs-options.ts";

/**
 * An optimizer for `model.compile`, `minimize` and whatever else takes a `tf.Optimizer`. The defaults are
 * `dialects.tfjs`, so that it computes what `tf.train.rmsprop` does.
 *
 * @throws OptionError for an unknown option or a value out of range.
 * @example
 * model.compile({ optimizer: rmsprop({ lr: 1e-3 }), loss: "categoricalCrossentropy" });
 */
export function rmsprop(options: RMSPropOptions = {}): RMSPropOptimizer {
  return new RMSPropOptimizer(options);
}

export { dialects } from "./dialects.ts";
export * from "./errors.ts";
export type { Hyperparameters, NonFinitePolicy, Schedule } from "./options.ts";
export { RMSPropOptimizer } from "./tfjs-optimizer.ts";
export type { RMSPropOptions } from "./tfjs-options.ts";
