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

export { dialects } from "./dialects.ts";
export * from "./errors.ts";
export type { Backend } from "./kernel.ts";
export type { Hyperparameters, NonFinitePolicy, Options, Schedule, Shard, StepOptions } from "./options.ts";
export type { NameOf, ParamGroup, ParamRecord, Params, Shape } from "./params.ts";
export type { State } from "./rmsprop.ts";
