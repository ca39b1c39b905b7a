/** PyTorch's names for our state and hyperparameters, and their values in JSON. */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { StatePlane } from "../kernel/segment.ts";
import type { GroupState } from "../optimizer/state-dict.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import type { WeightSums } from "../options/schedule-free.ts";
import { parseJson } from "./json.ts";

/**
 * The keys of the state. `z` is that of the package schedulefree, `moved` Optax'; `ema` and `row_steps` are this package's: PyTorch keeps state that it
 * doesn't know.
 */
export const STATE_KEYS = {
  step: "step",
  squareAvg: "square_avg",
  momentumBuffer: "momentum_buffer",
  gradAvg: "grad_avg",
  ema: "ema",
  z: "z",
  moved: "moved",
  rowSteps: "row_steps",
} as const satisfies Record<StatePlane | "ema" | "z" | "moved" | "step" | "rowSteps", string>;

type Keys = Partial<Record<keyof Hyperparameters, string>>;

const OF_PYTORCH = {
  lr: "lr",
  momentum: "momentum",
  alpha: "alpha",
  eps: "eps",
  centered: "centered",
  weightDecay: "weight_decay",
  maximize: "maximize",
} satisfies Keys;

const OF_OURS = {
  epsInsideSqrt: "eps_inside_sqrt",
  decoupledWeightDecay: "decoupled_weight_decay",
  lrInMomentum: "lr_in_momentum",
  nesterov: "nesterov",
  biasCorrection: "bias_correction",
  initialSquareAvg: "initial_square_avg",
  clipValue: "clip_value",
  clipNorm: "clip_norm",
} satisfies Keys;

/** The keys of a group's weights by those of the package schedulefree, which keeps the count of steps beside them, as `k`. */
const SUMS: ReadonlyMap<string, keyof WeightSums> = /* @__PURE__ */ new Map([
  ["weight_sum", "weightSum"],
  ["lr_max", "lrMax"],
]);

/** Settings that a file has only if they were set. */
const OF_ROWS = { sparse: "sparse", rowwiseState: "rowwise_state" } satisfies Keys;

const HYPERPARAMETER_KEYS: Record<keyof Hyperparameters, string> = { ...OF_PYTORCH, ...OF_OURS, ...OF_ROWS };

export function isHyperparameter(name: string): boolean {
  return Object.hasOwn(HYPERPARAMETER_KEYS, name);
}

/** Settings of how PyTorch computes. They mean nothing here, but PyTorch doesn't load a group without them. */
const FOR_PYTORCH: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ["capturable", "false"],
  ["foreach", "null"],
  ["differentiable", "false"],
]);

/** Our names by PyTorch's. */
const NAMES: ReadonlyMap<string, string> = /* @__PURE__ */ new Map(
  Object.entries(HYPERPARAMETER_KEYS).map(([name, key]) => [key, name]),
);

/** The keys of a group's record in files of this package. */
export const GROUP_KEYS: readonly string[] = /* @__PURE__ */ (() => [
  ...NAMES.keys(),
  ...FOR_PYTORCH.keys(),
])();

/**
 * A group's hyperparameters by the names that PyTorch gives them, each value as JSON.
 *
 * @param others Keys that a file had beside them.
 */
export function hyperparametersToJson(
  group: GroupState,
  only: "pytorch" | "all",
  steps: number,
  others: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const keys: Keys = only === "all" ? HYPERPARAMETER_KEYS : OF_PYTORCH;
  const values = Object.entries(keys).flatMap(([name, key]) => {
    const value = group[name as keyof Hyperparameters];
    return !value && Object.hasOwn(OF_ROWS, name) ? [] : [[key, jsonOf(value)] as const];
  });
  const sums = [...SUMS].map(([key, name]) => [key, jsonOf(group[name])] as const);
  const weights = group.weightSum === undefined ? [] : [["k", String(steps)] as const, ...sums];
  return new Map([...values, ...FOR_PYTORCH, ...weights, ...others]);
}

/** The hyperparameters of a group that change a step and that PyTorch doesn't have. */
export function unknownToPyTorch(group: GroupState): string[] {
  const { initialSquareAvg, ...others } = OF_OURS; // initialSquareAvg mattered at the first step alone
  const isOff = (value: unknown) => !value || value === Infinity;
  return Object.keys({ ...others, rowwiseState: true }).filter(
    (name) => !isOff(group[name as keyof Hyperparameters]),
  );
}

/** JSON of a value. Whole numbers get a fraction, for Python to read floats. Infinity, for no clipping, isn't JSON. */
function jsonOf(value: unknown): string {
  if (value === Infinity) return "null";
  return Number.isInteger(value) ? (value as number).toFixed(1) : JSON.stringify(value);
}

/** A group's record in a file: the JSON of each value by PyTorch's key. */
export type GroupRecord = ReadonlyMap<string, string>;

/**
 * Reads hyperparameters by PyTorch's names for them. The optimizer checks their values. Keys that PyTorch's schedulers and
 * users add stand in `others`: in PyTorch the records of groups are open.
 *
 * @param where The place in the file, up to the key, for messages.
 * @param areAllWanted Whether none may be missing, not even those that PyTorch doesn't have.
 */
export function hyperparametersFrom(
  record: GroupRecord,
  where: string,
  areAllWanted: boolean,
): { values: Partial<Hyperparameters & WeightSums>; others: Map<string, string> } {
  // A file of this package leaves out what wasn't set: an optimizer that it is restored into mustn't keep its own.
  const values: Record<string, unknown> = areAllWanted ? { sparse: undefined } : {};
  const others = new Map<string, string>();
  for (const [key, json] of record) {
    const name = NAMES.get(key) ?? SUMS.get(key);
    if (key === "k" && record.has("weight_sum")) continue;
    if (name === undefined) {
      // A list of all names with each of them makes a header that grows by the square, and the keys have the names.
      if (key === "param_names") continue;
      if (FOR_PYTORCH.get(key) !== json) others.set(key, json);
      continue;
    }
    const value = parseJson(json, `${where}${key}`);
    if (value instanceof Object) {
      throw new CheckpointError(`${where}${key}: got ${show(value)}, expected a number, true or false.`);
    }
    values[name] = value === null && key.startsWith("clip_") ? Infinity : value;
  }
  for (const [key, name] of areAllWanted ? NAMES : []) {
    if (!record.has(key) && !Object.hasOwn(OF_ROWS, name))
      throw new CheckpointError(`${where}${key} is missing.`);
  }
  return { values, others };
}
