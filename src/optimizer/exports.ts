/**
 * What each entry of the optimizer gives beside its `RMSprop`; but the errors they give themselves: of a file that stays
 * outside of the bundles, esbuild keeps an `export *` only where an entry has it.
 */

export type { Backend } from "../kernel/contract.ts";
export type { Allocate } from "../memory/arena.ts";
export { dialects } from "../options/dialects.ts";
export type { Hyperparameters, Schedule } from "../options/hyperparameters.ts";
export type { NonFinitePolicy, OptimizerOptions, Options, Shard, StepOptions } from "../options/options.ts";
export type { AttachOptions, Handle } from "./handle.ts";
export type { Optimizer } from "./optimizer.ts";
export type {
  AdoptedOffsets,
  AdoptedViews,
  NameOf,
  ParamGroup,
  ParamRecord,
  Params,
  TensorSource,
} from "./params.ts";
export type { TensorReport } from "./report.ts";
export type { ElementRange } from "./shard.ts";
export type { GroupState, StateDict, TensorState } from "./state-dict.ts";
export type { State } from "./tensor.ts";
export type { FloatArray, NestedValues, Shape, ShapedValues } from "./values.ts";
