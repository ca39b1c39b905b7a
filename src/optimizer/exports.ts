/**
 * The exports that every entry of the optimizer has beside its `RMSprop`, without the errors. Each entry exports those
 * itself: esbuild keeps an `export *` of a file outside of the bundles only if it stands in an entry.
 */

export type { FloatArray } from "../base/real.ts";
export type { Backend } from "../kernel/contract.ts";
export type { Allocate } from "../memory/arena.ts";
export { dialects } from "../options/dialects.ts";
export type { GroupHyperparameters, Hyperparameters, Schedule } from "../options/hyperparameters.ts";
export type { NonFinitePolicy, OptimizerOptions, Options } from "../options/options.ts";
export type { ScheduleFreeOptions } from "../options/schedule-free.ts";
export type { RowIndices, RowsByName, Shard, StepOptions } from "../options/step-options.ts";
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
export type { NestedValues, Shape, ShapedValues } from "./values.ts";
