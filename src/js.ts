/** The same optimizer on plain JavaScript alone, for pages that forbid WebAssembly. */
import { Attachment, type AttachOptions, type Handle } from "./handle.ts";
import type { Options } from "./options.ts";
import type { ParamRecord, Params } from "./params.ts";
import { openReference } from "./reference.ts";
import { Optimizer } from "./rmsprop.ts";

/** `RMSprop` of the main entry, the same bits, with no WebAssembly in it. */
export class RMSprop<const P extends Params> extends Optimizer<P> {
  /** Takes what the constructor of the main entry takes; `backend: "wasm"` throws `BackendError`. */
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

export { dialects } from "./dialects.ts";
export * from "./errors.ts";
export type { AttachOptions, Handle } from "./handle.ts";
export type { Backend } from "./kernel.ts";
export type { Hyperparameters, NonFinitePolicy, Options, Schedule, StepOptions } from "./options.ts";
export type { NameOf, ParamGroup, ParamRecord, Params, Shape } from "./params.ts";
export type { TensorReport } from "./report.ts";
export type { State } from "./rmsprop.ts";
export type { ElementRange, Shard } from "./shard.ts";
export type { GroupState, StateDict, TensorState } from "./state-dict.ts";
