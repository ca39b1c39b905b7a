/** The hyperparameters of a group: their types, defaults, rules, and the checks of an assignment. */

import type { Real } from "../base/real.ts";
import { check, defaultsOf, FLAG, numberIn, oneOf, type Rules, resolve } from "../base/rules.ts";
import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import { misplacedOption } from "./places.ts";

/** Learning rate as a function of the number of steps taken before: it gets 0 at the first step. */
export type Schedule = (step: number) => number;

/** The hyperparameters of one parameter group. The defaults are PyTorch's. */
export interface Hyperparameters {
  /**
   * Learning rate, at least 0, or a function of the steps taken. The average of the squared gradient starts at 0, so the
   * first step moves each parameter by `lr / sqrt(1 - alpha)`, ten times `lr` at the defaults; with `biasCorrection`, by
   * `lr` (with `centered` too, by `lr / sqrt(alpha)`).
   *
   * @defaultValue 0.01
   */
  lr: number | Schedule;
  /** Decay of the running averages per step, 0 to 1. @defaultValue 0.99 */
  alpha: number;
  /** Addend of the denominator, above 0, without which a gradient of zero would give 0/0. @defaultValue 1e-8 */
  eps: number;
  /** Divide by `sqrt(squareAvg + eps)` instead of `sqrt(squareAvg) + eps`. @defaultValue false */
  epsInsideSqrt: boolean;
  /** L2 penalty, at least 0, added to the gradient as `grad + weightDecay * param`. @defaultValue 0 */
  weightDecay: number;
  /** Multiply the parameter by `1 - lr * weightDecay` instead, so that decay stays out of the averages (Loshchilov and Hutter, AdamW). @defaultValue false */
  decoupledWeightDecay: boolean;
  /** Decay of the momentum buffer per step, 0 to 1. 0 keeps no buffer. @defaultValue 0 */
  momentum: number;
  /** Multiply by `lr` on the way into the momentum buffer, not on the way out. @defaultValue false */
  lrInMomentum: boolean;
  /** Look ahead: step by the update plus `momentum` times the new buffer. Needs `momentum`. @defaultValue false */
  nesterov: boolean;
  /** Divide by the standard deviation of the gradient instead of its root mean square (Graves 2013). @defaultValue false */
  centered: boolean;
  /**
   * Divide the average below the root by `1 - alpha ** t` at step t = 1, 2, …, as Adam does. With `centered` that is the
   * variance `squareAvg - gradAvg ** 2`, where Optax corrects the two averages before it subtracts: the variance of the
   * first gradient alone is 0 there, and the step `lr / eps` times the gradient.
   *
   * @defaultValue false
   */
  biasCorrection: boolean;
  /** Initial value of the average of the squared gradient, at least 0. Only the constructor takes it. @defaultValue 0 */
  initialSquareAvg: number;
  /** Bound of each gradient element, above 0: elements are clipped to `-clipValue … clipValue`. @defaultValue Infinity */
  clipValue: number;
  /** Largest L2 norm of each tensor's gradient, above 0: a longer gradient is scaled down to it. @defaultValue Infinity */
  clipNorm: number;
  /** Step along the gradient instead of against it. @defaultValue false */
  maximize: boolean;
  /**
   * Treatment of the steps that a row misses while `step({ rows })` names others. `"exact"`: it is brought to where dense
   * steps would have brought it, without a gradient. `"lazy"`: it stands still, as in TensorFlow. Left out, it is exact
   * from the first step by rows on; set, each row's count of steps has its place in the memory from the beginning.
   *
   * @defaultValue undefined
   */
  sparse: "exact" | "lazy" | undefined;
  /**
   * Keep one mean square for each row, of all the row's gradients, instead of one for each element: the state of rows of
   * 64 shrinks 64 times (FBGEMM's row-wise RMSprop). Tensors of one dimension have one for each element as ever. Only the
   * constructor takes it. @defaultValue false
   */
  rowwiseState: boolean;
}

/**
 * A group's hyperparameters as an optimizer has them. An assignment is checked (`OptionError`) and holds from the next step.
 */
export interface GroupHyperparameters extends Omit<Hyperparameters, "lr"> {
  /**
   * Reads as the rate of the next step, also where it is a schedule; takes a number or a schedule. See
   * `Hyperparameters.lr` for the size of the first step.
   */
  get lr(): number;
  /** Sets the rate from the next step on. */
  set lr(rate: number | Schedule);
}

/** The hyperparameters of a raw update. Those left out need an optimizer, which owns state and knows tensors. */
export type CoreHyperparameters = Omit<
  Hyperparameters,
  "initialSquareAvg" | "clipNorm" | "sparse" | "rowwiseState"
>;

/** @internal */
export const isShare = (x: number) => x >= 0 && x <= 1;
const isNotNegative = (x: number) => x >= 0 && x < Infinity;
const NOT_NEGATIVE = "from 0 up, finite";
/** @internal */
export const LEARNING_RATE = /* @__PURE__ */ numberIn(isNotNegative, 0.01, NOT_NEGATIVE);
/** @internal */
export const CLIP = /* @__PURE__ */ numberIn((x) => x > 0, Infinity, "above 0; Infinity clips nothing");

/** @internal */
export const HYPERPARAMETERS: Rules<Hyperparameters> = /* @__PURE__ */ (() => ({
  lr: {
    default: LEARNING_RATE.default,
    wanted: `${LEARNING_RATE.wanted}, a function of the step that gives one, or "auto" in the constructor's options`,
    accepts: (value, real) => typeof value === "function" || LEARNING_RATE.accepts(value, real),
  },
  alpha: numberIn(isShare, 0.99, "from 0 to 1"),
  eps: numberIn((x) => x > 0 && x < Infinity, 1e-8, "above 0, also as a float32"),
  epsInsideSqrt: FLAG,
  weightDecay: numberIn(isNotNegative, 0, NOT_NEGATIVE),
  decoupledWeightDecay: FLAG,
  momentum: numberIn(isShare, 0, "from 0 to 1"),
  lrInMomentum: FLAG,
  nesterov: FLAG,
  centered: FLAG,
  biasCorrection: FLAG,
  initialSquareAvg: numberIn(isNotNegative, 0, NOT_NEGATIVE),
  clipValue: CLIP,
  clipNorm: CLIP,
  maximize: FLAG,
  sparse: oneOf<Hyperparameters["sparse"]>(undefined, "exact", "lazy"),
  rowwiseState: FLAG,
}))();

/** @internal */
export const DEFAULTS = /* @__PURE__ */ defaultsOf(HYPERPARAMETERS);

/** Checks one group's hyperparameters, and completes them from `base`. */
export function resolveHyperparameters(
  given: Partial<Hyperparameters>,
  real: Real,
  base = DEFAULTS,
): Hyperparameters {
  const resolved = resolve(HYPERPARAMETERS, base, given, real, [], misplacedOption);
  checkTogether(resolved, real);
  checkRowwise(resolved);
  return resolved;
}

/** Refuses options for which a row's mean square isn't that of the gradients in memory. */
function checkRowwise(hyperparameters: Hyperparameters): void {
  const { rowwiseState, centered, clipValue, weightDecay, decoupledWeightDecay } = hyperparameters;
  const bad =
    (centered && "centered") ||
    (clipValue !== Infinity && "clipValue") ||
    (weightDecay > 0 && !decoupledWeightDecay && "weightDecay");
  if (!rowwiseState || !bad) return;
  const hint = { centered: "", clipValue: "use clipNorm, or ", weightDecay: "set decoupledWeightDecay, or " };
  throw notRowwise(bad, hint[bad]);
}

/** An option that `rowwiseState` can't go with. */
export function notRowwise(option: string, hint = ""): OptionError {
  return new OptionError(
    `Option ${option} works on each element by itself, and rowwiseState keeps one mean square for a row: ${hint}leave out one.`,
  );
}

/** Refuses values that are valid by themselves and wrong together. */
export function checkTogether(
  { nesterov, momentum, biasCorrection, alpha }: CoreHyperparameters,
  real: Real,
): void {
  if (nesterov && momentum === 0) {
    throw new OptionError(
      "Option nesterov looks ahead along the momentum: set momentum above 0, or leave it out.",
    );
  }
  if (biasCorrection && real.round(1 - alpha) === 0) {
    throw new OptionError(`Option biasCorrection divides by 1 - alpha ** t, which is 0 with alpha ${alpha}.`);
  }
}

/**
 * Gives the hyperparameters as a caller reads and assigns them: an assignment is checked, then passed to `change`.
 *
 * @param steps Gives the number of steps taken, for a schedule.
 */
export function guardHyperparameters(
  values: Hyperparameters,
  real: Real,
  steps: () => number,
  change: (next: Hyperparameters) => void,
): GroupHyperparameters {
  const refuse = (_: object, name: PropertyKey): never => {
    throw new OptionError(`Option ${String(name)} can be assigned, not deleted or redefined.`);
  };
  const guarded = new Proxy<Hyperparameters>(values, {
    get(_, name) {
      const value = values[name as keyof Hyperparameters];
      return name === "lr" && typeof value === "function" ? learningRateAt(value, steps(), real) : value;
    },
    set(_, name, value) {
      if (!Object.hasOwn(HYPERPARAMETERS, name)) {
        throw misplacedOption(String(name), Object.keys(HYPERPARAMETERS));
      }
      check(HYPERPARAMETERS, name as keyof Hyperparameters, value, real);
      if (name === "initialSquareAvg" || (name === "rowwiseState" && value !== values[name])) {
        const instead = name === "rowwiseState" ? "" : ", or fill state[name].squareAvg";
        throw new OptionError(
          `Option ${name}: got ${show(value)}, but the averages have started: set it when making the optimizer${instead}.`,
        );
      }
      const next = { ...values, [name]: value };
      checkTogether(next, real);
      checkRowwise(next);
      change(next);
      return true;
    },
    deleteProperty: refuse,
    defineProperty: refuse,
  });
  return guarded as GroupHyperparameters;
}

/** The schedule that is giving a rate at this moment. */
let running: Schedule | undefined;

/** Whether a schedule is being asked: for steps that none asks, this is cheaper than to look at each group's rate. */
export const isAsking = (): boolean => running !== undefined;

/** Refuses a call that a schedule makes to its own optimizer: it could change the step that waits for the rate. */
export function refuseWithin(lr: number | Schedule): void {
  if (lr !== running) return;
  throw new OptionError(
    "Option lr: the schedule has called its optimizer. It can only read the step that it is given.",
  );
}

/** Gives the rate of a step: a schedule is called, and its result checked. */
export function learningRateAt(lr: number | Schedule, step: number, real: Real): number {
  if (typeof lr === "number") return lr;
  refuseWithin(lr);
  const outer = running;
  running = lr;
  let value: unknown;
  try {
    value = lr(step);
  } finally {
    running = outer;
  }
  if (!LEARNING_RATE.accepts(value, real)) {
    throw new OptionError(
      `Option lr: the schedule gave ${show(value)} at step ${step}, expected ${LEARNING_RATE.wanted}.`,
    );
  }
  return value as number;
}
