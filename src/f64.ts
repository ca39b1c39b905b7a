/**
 * The main entry over float64: the same optimizer, in twice the memory, for fits that float32 is too coarse for.
 *
 * @module rmsprop-wasm/f64
 */

import { KERNELS } from "./kernel/module-f64.ts";
import { Attachment, type AttachOptions, type Handle } from "./optimizer/handle.ts";
import { Optimizer } from "./optimizer/optimizer.ts";
import type { ParamRecord, Params } from "./optimizer/params.ts";
import type { Options } from "./options/options.ts";
import { backendsOf } from "./threads/lazy.ts";

const BACKENDS = /* @__PURE__ */ backendsOf(KERNELS, () => import("./threads.ts"));

/**
 * `RMSprop` of the main entry over float64: every parameter, gradient and average is a `Float64Array`, each operation of a
 * step one of float64 in the written order, with the same bits on every engine and backend.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm/f64";
 *
 * const optimizer = new RMSprop({ w: { shape: [2], values: [0.1, 0.2] } }, { lr: 0.5, alpha: 0.75, eps: 1 });
 * optimizer.grads.w.fill(2);
 * optimizer.step(); // → true
 * optimizer.params.w; // → [-0.4, -0.3]
 * ```
 */
export class RMSprop<const P extends Params<Float64Array> = ParamRecord<Float64Array>> extends Optimizer<
  P,
  Float64Array
> {
  /**
   * Takes the arguments of the main entry's constructor, and throws the same errors.
   *
   * @param params Tensors by name, or groups of them. Tensors to adopt are `Float64Array`s, or begin at multiples of 8.
   * @param options Those of the main entry.
   */
  constructor(params: P, options?: Options);
  constructor(params: P, options: Options = {}, other?: unknown) {
    super(params, options, BACKENDS, other);
  }

  /** Takes the arguments of the main entry's `RMSprop.attach`, and throws the same errors. The handle is one of this entry. */
  static attach<const P extends Params<Float64Array> = ParamRecord<Float64Array>>(
    handle: Handle,
    options?: AttachOptions,
  ): RMSprop<P>;
  static attach(handle: Handle, options: AttachOptions = {}, other?: unknown): RMSprop {
    return attached(new Attachment(handle, options, KERNELS.real, other));
  }
}

/** Outside of the class: bundlers rename one that names itself, and consoles show its name. */
function attached<const P extends Params<Float64Array>>(attachment: Attachment): RMSprop<P> {
  return new RMSprop<P>(attachment as never);
}

export * from "./errors.ts";
export * from "./optimizer/exports.ts";
