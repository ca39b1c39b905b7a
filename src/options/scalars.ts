/** The hyperparameters in the form in which they reach a kernel. */
import {
  AVERAGED,
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSH_INTERVAL,
  FLUSHED,
  MOMENTUM,
  NESTEROV,
  type Scalars,
  SHAPED,
  ZEROED,
} from "../kernel/contract.ts";
import type { CoreHyperparameters } from "./options.ts";

/** What a step adds to the hyperparameters. */
export interface StepPlan {
  /** Steps taken before this one. */
  step: number;
  /** What all gradients are multiplied by: what the caller asked for, times what clipping by norm leaves of it. */
  gradScale: number;
  zeroGrad: boolean;
  /** Of the running average of the weights, where there is one. */
  emaDecay: number | undefined;
}

/** Reduces a group's hyperparameters to what a kernel computes with, in one step at the learning rate `lr`. */
export function scalarsOf(hyperparameters: CoreHyperparameters, lr: number, plan: StepPlan): Scalars {
  const { alpha, eps, epsInsideSqrt, weightDecay, decoupledWeightDecay } = hyperparameters;
  const { momentum, lrInMomentum, clipValue, biasCorrection } = hyperparameters;
  const { step, emaDecay } = plan;
  const hasMomentum = momentum > 0;
  const lrOutside = hasMomentum && !lrInMomentum;
  const decaysCoupled = weightDecay > 0 && !decoupledWeightDecay;
  const decaysDecoupled = weightDecay > 0 && decoupledWeightDecay;
  // Rounded once, whatever clips and scales: that may be a loss scale undone and a norm at the same time.
  const gradScale = Math.fround(hyperparameters.maximize ? -plan.gradScale : plan.gradScale);
  const isShaped = clipValue !== Infinity || (gradScale !== 1 && !decaysCoupled);
  return {
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
      (flushesAt(step) ? FLUSHED : 0),
    alpha: Math.fround(alpha),
    oneMinusAlpha: Math.fround(1 - alpha),
    epsInside: epsInsideSqrt ? Math.fround(eps) : 0,
    eps: epsInsideSqrt ? 0 : Math.fround(eps),
    updateScale: lrOutside ? 1 : Math.fround(lr),
    momentum: Math.fround(momentum),
    bufferScale: lrOutside ? Math.fround(lr) : 1,
    gradScale,
    clipValue: Math.fround(clipValue),
    decoupledDecay: decaysDecoupled ? Math.fround(lr * weightDecay) : 0,
    weightDecay: Math.fround(weightDecay),
    correction: biasCorrection ? Math.fround(1 - power(alpha, step + 1)) : 1,
    // The first step takes the weights themselves, as Keras does.
    emaWeight: emaDecay === undefined ? 0 : step === 0 ? 1 : Math.fround(1 - emaDecay),
  };
}

/** Whether the step after so many is one that flushes denormals. */
export function flushesAt(step: number): boolean {
  return step % FLUSH_INTERVAL === FLUSH_INTERVAL - 1;
}

/** Whether the scalars of the next step can be those of the last, where lr and plan are the same. */
export function areScalarsSteady(
  { biasCorrection }: CoreHyperparameters,
  { step, emaDecay }: StepPlan,
): boolean {
  return !biasCorrection && (emaDecay === undefined || step > 1);
}

/** What a gradient of this norm is multiplied by to have at most that norm. One unknown or not finite clips nothing. */
export function clipFactor(norm: number | undefined, limit: number): number {
  return norm !== undefined && norm > limit && norm !== Infinity ? limit / norm : 1;
}

/** `base ** exponent` for whole exponents, by squaring: engines may round `**` differently. */
function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
