/** The class of the optimizers that `loadLayersModel` makes of models saved with `scheduleFree`. */
import { SCHEDULE_FREE_NAME } from "./averages.ts";
import { RMSPropOptimizer } from "./optimizer.ts";

/**
 * The class as models are saved with it whose optimizer has `scheduleFree`: its state is one that tf.js's own optimizer
 * can't read. `loadLayersModel` makes it once it is registered, and says until then that it doesn't know it.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { rmsprop, ScheduleFreeRMSProp } from "rmsprop-wasm/tfjs";
 *
 * tf.serialization.registerClass(ScheduleFreeRMSProp); // from here on, `loadLayersModel` makes these
 * const optimizer = rmsprop({ scheduleFree: true });
 * optimizer.getClassName() === ScheduleFreeRMSProp.className; // → true
 * ```
 */
export class ScheduleFreeRMSProp extends RMSPropOptimizer {
  /** The name in saved models. */
  static override get className(): string {
    return SCHEDULE_FREE_NAME;
  }
}
