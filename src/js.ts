/**
 * The same optimizer on plain JavaScript alone, for pages that forbid WebAssembly.
 *
 * @module rmsprop-wasm/js
 */

import { openReference } from "./kernel/reference.ts";
import { Attachment, type AttachOptions, type Handle } from "./optimizer/handle.ts";
import { Optimizer } from "./optimizer/optimizer.ts";
import type { ParamRecord, Params } from "./optimizer/params.ts";
import type { Options } from "./options/options.ts";

/**
 * `RMSprop` of the main entry, the same bits, with no WebAssembly code in it.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm/js";
 *
 * const optimizer = new RMSprop({ w: [2] }, { lr: 0.5, alpha: 0.75, eps: 1 });
 * optimizer.grads.w.fill(2);
 * optimizer.step(); // → true
 * optimizer.params.w; // → [-0.5, -0.5]
 * optimizer.backend; // → "js"
 * ```
 */
export class RMSprop<const P extends Params> extends Optimizer<P> {
  /**
   * Takes what the constructor of the main entry takes, and throws what it throws.
   *
   * @param params Tensors by name, or groups of them.
   * @param options `backend: "wasm"` throws `BackendError`.
   */
  constructor(params: P, options: Options = {}) {
    super(params, options, openReference);
  }

  /** Takes what `RMSprop.attach` of the main entry takes. */
  static attach<const P extends Params = ParamRecord>(
    handle: Handle,
    options: AttachOptions = {},
  ): RMSprop<P> {
    return new RMSprop<P>(new Attachment(handle, options) as never);
  }
}

export * from "./errors.ts";
export * from "./optimizer/exports.ts";
