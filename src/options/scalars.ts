/** The numbers that a kernel computes with, made of the hyperparameters once per step. */

import { power } from "../base/power.ts";
import type { Real } from "../base/real.ts";
import {
  AVERAGED,
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSH_INTERVAL,
  FLUSHED,
  LEARNED,
  MOMENTUM,
  NESTEROV,
  SCHEDULE_FREE,
  type Scalars,
  SHAPED,
  ZEROED,
} from "../kernel/contract.ts";
import type { CoreHyperparameters } from "./hyperparameters.ts";

/** The inputs of one step beside the hyperparameters. */
export interface StepPlan {
  /** Steps taken before this one. */
  step: number;
  /** Factor of all gradients: the caller's `gradScale` times the factor by which a norm clips. */
  gradScale: number;
  zeroGrad: boolean;
  /** Decay of the running average of the weights; undefined without one. */
  emaDecay: number | undefined;
  /** With a learned rate. */
  learned?: LearnedRate | undefined;
}

/** A rate that was learned, of which the groups' own are factors. */
export interface LearnedRate {
  rate: number;
  /** The share by which the way so far grows, since the rate is another than before. */
  growth: number;
}

/** The second point that parameters are drawn towards. */
export interface Drawn {
  /** The share of this step's z in the average, with `scheduleFree`. */
  zShare: number;
  beta: number;
}

/**
 * Scalars that nothing is computed with. None but the variant is a small integer, which V8 keeps in another form than a double: the first
 * object decides on the form of each property, and each that has to change leaves the kernels' callers one more kind of
 * object to look for. A 16-element step took 200 ns instead of 150 so, once a program had used some options.
 */
const NEUTRAL: Scalars = {
  variant: 0,
  alpha: 0.5,
  oneMinusAlpha: 0.5,
  epsInside: -0,
  eps: -0,
  updateScale: 0.5,
  momentum: -0,
  bufferScale: 0.5,
  gradScale: 0.5,
  clipValue: Infinity,
  decoupledDecay: -0,
  weightDecay: -0,
  correction: 0.5,
  emaWeight: -0,
  zShare: -0,
  stepShare: 0.5,
  growth: -0,
};

/**
 * Reduces a group's hyperparameters to a kernel's scalars, for one step at the learning rate `lr`. Each is computed in
 * double, then rounded to the element type, once.
 */
export function scalarsOf(
  hyperparameters: CoreHyperparameters,
  lr: number,
  plan: StepPlan,
  { round }: Real,
  drawn?: Drawn,
): Scalars {
  const { alpha, eps, epsInsideSqrt, weightDecay, decoupledWeightDecay } = hyperparameters;
  const { momentum, lrInMomentum, clipValue, biasCorrection } = hyperparameters;
  const { step, emaDecay, learned } = plan;
  const factor = learned?.rate ?? 1;
  const hasMomentum = momentum > 0;
  const lrOutside = hasMomentum && !lrInMomentum;
  const decaysCoupled = weightDecay > 0 && !decoupledWeightDecay;
  const decaysDecoupled = weightDecay > 0 && decoupledWeightDecay;
  // One rounding of the whole product, which may hold a loss scale undone and a clip by norm at the same time.
  const gradScale = round(hyperparameters.maximize ? -plan.gradScale : plan.gradScale);
  const isShaped = clipValue !== Infinity || (gradScale !== 1 && !decaysCoupled);
  return {
    ...NEUTRAL,
    variant:
      (hasMomentum ? MOMENTUM : 0) |
      (hyperparameters.centered ? CENTERED : 0) |
      (isShaped ? SHAPED : 0) |
      (decaysCoupled ? DECAYED : 0) |
      (hyperparameters.nesterov ? NESTEROV : 0) |
      (biasCorrection ? CORRECTED : 0) |
      (emaDecay === undefined ? 0 : AVERAGED) |
      (plan.zeroGrad ? ZEROED : 0) |
      (decaysDecoupled ? DECOUPLED : 0) |
      (flushesAt(step) ? FLUSHED : 0) |
      (drawn ? SCHEDULE_FREE : 0) |
      (learned ? LEARNED : 0),
    alpha: round(alpha),
    oneMinusAlpha: round(1 - alpha),
    epsInside: epsInsideSqrt ? round(eps) : 0,
    eps: epsInsideSqrt ? 0 : round(eps),
    updateScale: lrOutside ? 1 : round(hasMomentum ? lr : lr * factor),
    momentum: round(momentum),
    bufferScale: lrOutside ? round(lr * factor) : hasMomentum ? round(factor) : 1,
    gradScale,
    clipValue: round(clipValue),
    decoupledDecay: decaysDecoupled ? round(lr * factor * weightDecay) : 0,
    weightDecay: round(weightDecay),
    correction: biasCorrection ? round(1 - power(alpha, step + 1)) : 1,
    // The first step takes the weights themselves, as Keras does.
    emaWeight: emaDecay === undefined ? 0 : step === 0 ? 1 : round(1 - emaDecay),
    zShare: drawn ? round(drawn.zShare) : 0,
    stepShare: drawn ? round(1 - drawn.beta * (1 - drawn.zShare)) : 1,
    growth: round(learned?.growth ?? 0),
  };
}

/** Whether the step after `step` others is one that flushes denormals. */
export function flushesAt(step: number): boolean {
  return step % FLUSH_INTERVAL === FLUSH_INTERVAL - 1;
}

/** The part of the count of steps that goes into the scalars: steps that share it, and all else, share their scalars. */
export function phaseOf({ biasCorrection }: CoreHyperparameters, { step, emaDecay }: StepPlan): number {
  if (biasCorrection) return step;
  if (flushesAt(step)) return 2;
  return emaDecay !== undefined && step === 0 ? 0 : 1;
}

/** The factor that brings a gradient of norm `norm` down to `limit`. An unknown or infinite norm, or NaN, clips nothing. */
export function clipFactor(norm: number | undefined, limit: number): number {
  return norm !== undefined && norm > limit && norm !== Infinity ? limit / norm : 1;
}
