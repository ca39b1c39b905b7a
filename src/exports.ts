/**
 * What each entry of the optimizer gives beside its `RMSprop`; but the errors they give themselves: of a file that stays
 * outside of the bundles, esbuild keeps an `export *` only where an entry has it.
 */
export type { Allocate } from "./arena.ts";
export { dialects } from "./dialects.ts";
export type { AttachOptions, Handle } from "./handle.ts";
export type { Backend } from "./kernel.ts";
export type {
  Hyperparameters,
  NonFinitePolicy,
  OptimizerOptions,
  Options,
  Schedule,
  StepOptions,
} from "./options.ts";
export type {
  AdoptedOffsets,
  AdoptedViews,
  NameOf,
  ParamGroup,
  ParamRecord,
  Params,
  Shape,
  TensorSource,
} from "./params.ts";
export type { TensorReport } from "./report.ts";
export type { State } from "./rmsprop.ts";
export type { ElementRange, Shard } from "./shard.ts";
export type { GroupState, StateDict, TensorState } from "./state-dict.ts";
