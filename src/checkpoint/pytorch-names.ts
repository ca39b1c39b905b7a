/** PyTorch's names for our state and hyperparameters, and their values in JSON. */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { StatePlane } from "../kernel/segment.ts";
import type { GroupState } from "../optimizer/state-dict.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";

/** The keys of the state. `ema` is our own: PyTorch keeps state that it doesn't know. */
export const STATE_KEYS = {
  step: "step",
  squareAvg: "square_avg",
  momentumBuffer: "momentum_buffer",
  gradAvg: "grad_avg",
  ema: "ema",
} as const satisfies Record<StatePlane | "ema" | "step", string>;

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

const HYPERPARAMETER_KEYS: Record<keyof Hyperparameters, string> = { ...OF_PYTORCH, ...OF_OURS };

export function isHyperparameter(name: string): boolean {
  return Object.hasOwn(HYPERPARAMETER_KEYS, name);
}

/** Settings of how PyTorch computes. They mean nothing here, but PyTorch doesn't load a group without them. */
const FOR_PYTORCH = { capturable: false, foreach: null, differentiable: false };
/** All other keys of its groups. */
const IGNORED = [...Object.keys(FOR_PYTORCH), "initial_lr", "params", "param_names"];

/** A group's hyperparameters by the names that PyTorch gives them, each value as JSON. */
export function hyperparametersToJson(group: GroupState, only: "pytorch" | "all"): Map<string, string> {
  const keys: Keys = only === "all" ? HYPERPARAMETER_KEYS : OF_PYTORCH;
  const values = Object.entries(keys).map(
    ([name, key]) => [key, group[name as keyof Hyperparameters]] as const,
  );
  return new Map([...values, ...Object.entries(FOR_PYTORCH)].map(([key, value]) => [key, jsonOf(value)]));
}

/** The hyperparameters of a group that change a step and that PyTorch doesn't have. */
export function unknownToPyTorch(group: GroupState): string[] {
  const { initialSquareAvg, ...others } = OF_OURS; // initialSquareAvg mattered at the first step alone
  const isOff = (value: unknown) => value === false || value === Infinity;
  return Object.keys(others).filter((name) => !isOff(group[name as keyof Hyperparameters]));
}

/** JSON of a value. Whole numbers get a fraction, for Python to read floats. Infinity, for no clipping, isn't JSON. */
function jsonOf(value: unknown): string {
  if (value === Infinity) return "null";
  return Number.isInteger(value) ? (value as number).toFixed(1) : JSON.stringify(value);
}

/**
 * Reads hyperparameters by PyTorch's names for them. The optimizer checks their values.
 *
 * @param where The place in the file, up to the key, for messages.
 * @param areAllWanted Whether none may be missing, not even those that PyTorch doesn't have.
 */
export function hyperparametersFrom(
  values: Readonly<Record<string, unknown>>,
  where: string,
  areAllWanted: boolean,
): Partial<Hyperparameters> {
  const names = new Map(Object.entries(HYPERPARAMETER_KEYS).map(([name, key]) => [key, name]));
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const name = names.get(key);
    if (name !== undefined) {
      if (value instanceof Object) {
        throw new CheckpointError(`${where}${key}: got ${show(value)}, expected a number, true or false.`);
      }
      found[name] = value === null && key.startsWith("clip_") ? Infinity : value;
    } else if (!IGNORED.includes(key)) {
      throw new CheckpointError(`${where}${key}: expected one of ${[...names.keys()].join(", ")}.`);
    }
  }
  for (const [key, name] of areAllWanted ? names : []) {
    if (!Object.hasOwn(found, name)) throw new CheckpointError(`${where}${key} is missing.`);
  }
  return found;
}
