/**
 * The option `scheduleFree`: its settings, and what they make of a step: its rate, the weight of its point, and the average
 * of all points. Powers and sums are IEEE operations alone, so that no engine gives other bits.
 */
import { isPlain } from "../base/plain.ts";
import { power } from "../base/power.ts";
import type { FloatArray, Real } from "../base/real.ts";
import { defaultsOf, numberIn, type Rule, type Rules, resolve } from "../base/rules.ts";

/** The settings of `scheduleFree`, each with a default. */
export interface ScheduleFreeOptions {
  /** How near the average gradients are taken, above 0 to 1: at 1 in the average itself. @defaultValue 0.9 */
  readonly beta?: number;
  /** Steps over which the learning rate rises to its value, a whole number; they weigh less in the average. @defaultValue 0 */
  readonly warmupSteps?: number;
  /** Power of the step's number in its weight, a multiple of 0.5: above 0, late steps weigh more. @defaultValue 0 */
  readonly r?: number;
  /** Power of the largest learning rate so far in a step's weight, a multiple of 0.5. @defaultValue 2 */
  readonly weightLrPower?: number;
}

/** The settings of `scheduleFree`, all of them given. */
export type ScheduleFree = Required<ScheduleFreeOptions>;

/** The weights so far as a state dict has them, under PyTorch's names but for their case. */
export interface WeightSums {
  /** The sum of the weights of all points that were averaged so far. */
  readonly weightSum: number;
  /** The largest learning rate so far. */
  readonly lrMax: number;
}

// Engines round other powers differently.
const HALVES = "from 0 to 100, a multiple of 0.5";
const isHalf = (value: unknown) =>
  typeof value === "number" && value >= 0 && value <= 100 && Number.isInteger(value * 2);

const SETTINGS: Rules<ScheduleFree> = /* @__PURE__ */ (() => ({
  beta: numberIn((beta) => beta > 0 && beta <= 1, 0.9, "above 0, to 1"),
  warmupSteps: {
    default: 0,
    wanted: "a whole number from 0 up",
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  },
  r: { default: 0, wanted: `a number ${HALVES}`, accepts: isHalf },
  weightLrPower: { default: 2, wanted: `a number ${HALVES}`, accepts: isHalf },
}))();

/** @internal */
export const SCHEDULE_FREE: Rule<boolean | ScheduleFreeOptions | undefined> = {
  default: undefined,
  wanted: "true, or an object of beta, warmupSteps, r and weightLrPower",
  accepts: (value) => typeof value === "boolean" || isPlain(value),
};

/** Checks the settings, and fills in their defaults. Gives undefined where the option is off. */
export function scheduleFreeOf(
  given: boolean | ScheduleFreeOptions | undefined,
  real: Real,
): ScheduleFree | undefined {
  if (!given) return undefined;
  return resolve(SETTINGS, defaultsOf(SETTINGS), given === true ? {} : given, real);
}

/** The rate of a step during and after the warm-up. */
export function warmedUp(lr: number, step: number, { warmupSteps }: ScheduleFree): number {
  return step < warmupSteps ? (lr * (step + 1)) / warmupSteps : lr;
}

/** Adds the weight of a step's point to the sums before it, and gives its share. `step` counts the steps before it. */
export function weigh(
  before: WeightSums,
  step: number,
  lr: number,
  { r, weightLrPower }: ScheduleFree,
): WeightSums & { zShare: number } {
  const lrMax = Math.max(lr, before.lrMax);
  const weight = halfPower(step + 1, r) * halfPower(lrMax, weightLrPower);
  const weightSum = before.weightSum + weight;
  // As long as all rates were 0, no point has moved.
  return { weightSum, lrMax, zShare: weightSum === 0 ? 0 : weight / weightSum };
}

/** The share of the way from y to z at which their average x lies. */
export const averageAt = (beta: number) => 1 - 1 / beta;

/** Turns y into x = y + (1 − 1/beta)·(z − y), in double and rounded once. `share` is what `averageAt` gives. */
export function average(y: FloatArray, z: FloatArray, share: number): void {
  for (let i = 0; i < y.length; i++) y[i] = y[i]! + share * (z[i]! - y[i]!);
}

/** `base ** exponent` for whole and half exponents, by IEEE operations alone: engines round `**` differently. */
function halfPower(base: number, exponent: number): number {
  const whole = power(base, Math.floor(exponent));
  return exponent % 1 === 0 ? whole : whole * Math.sqrt(base);
}
