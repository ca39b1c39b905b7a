/**
 * The same optimizer in plain JavaScript, for pages and engines without WebAssembly.
 *
 * @module rmsprop-wasm/js
 */

import { FLOAT32 } from "./base/real.ts";
import { referenceOver } from "./kernel/reference.ts";
import { Attachment, type AttachOptions, type Handle } from "./optimizer/handle.ts";
import { Optimizer } from "./optimizer/optimizer.ts";
import type { ParamRecord, Params } from "./optimizer/params.ts";
import type { Options } from "./options/options.ts";

const BACKENDS = /* @__PURE__ */ referenceOver(FLOAT32);

/**
 * `RMSprop` of the main entry without its WebAssembly code: the same members, the same results to the bit.
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
export class RMSprop<const P extends Params = ParamRecord> extends Optimizer<P> {
  /**
   * Takes the arguments of the main entry's constructor, and throws the same errors.
   *
   * @param params Tensors by name, or groups of them.
   * @param options Those of the main entry.
   * @throws BackendError for `backend: "wasm"`.
   */
  constructor(params: P, options?: Options);
  constructor(params: P, options: Options = {}, other?: unknown) {
    super(params, options, BACKENDS, other);
  }

  /** Takes the arguments of the main entry's `RMSprop.attach`, and throws the same errors. */
  static attach<const P extends Params = ParamRecord>(handle: Handle, options?: AttachOptions): RMSprop<P>;
  static attach(handle: Handle, options: AttachOptions = {}, other?: unknown): RMSprop {
    return attached(new Attachment(handle, options, FLOAT32, other));
  }
}

/** Outside of the class: bundlers rename one that names itself, and consoles show its name. */
function attached<const P extends Params>(attachment: Attachment): RMSprop<P> {
  return new RMSprop<P>(attachment as never);
}

export * from "./errors.ts";
export * from "./optimizer/exports.ts";
