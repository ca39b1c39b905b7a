/** The same optimizer on plain JavaScript alone, for pages that forbid WebAssembly. */
import type { Options } from "./options.ts";
import type { Params } from "./params.ts";
import { openReference } from "./reference.ts";
import { Optimizer } from "./rmsprop.ts";

/** `RMSprop` of the main entry, the same bits, with no WebAssembly in it. */
export class RMSprop<const P extends Params> extends Optimizer<P> {
  /** Takes what the constructor of the main entry takes; `backend: "wasm"` throws `BackendError`. */
  constructor(params: P, options: Options = {}) {
    super(params, options, openReference);
  }
}

export * from "./exports.ts";
