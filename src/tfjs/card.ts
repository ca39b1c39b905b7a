/** What the updaters on graphics cards share: the planes that they hand to tf.js and get back, and a step to try. */
import { dispose, type Tensor, tensor1d, tidy, type Variable } from "@tensorflow/tfjs-core";
import type { Scalars } from "../kernel/contract.ts";
import { type Output, outputsOf } from "./shader.ts";
import type { Slot, Updater } from "./updater.ts";

/** The name under which tf.js knows the update. */
export const KERNEL = "RmspropWasmUpdate";

/** The attributes of a run: the variant, and the scalars in the order and grouping that the program wants. */
export interface CardAttributes {
  readonly variant: number;
  readonly scalars: readonly number[] | readonly (readonly number[])[];
}

/** Gives the planes of an update by their names, as tf.js takes the inputs of a kernel. */
export function planesOf({ variable, state }: Slot, grad: Tensor): Record<string, Tensor> {
  return { param: variable, grad, ...state };
}

/** Assigns results to the variable and its state, and disposes of them. */
export function assignOutputs({ variable, state }: Slot, variant: number, results: readonly Tensor[]): void {
  outputsOf(variant).forEach((output: Output, i) => {
    const plane: Variable = output === "param" ? variable : state[output]!;
    plane.assign(results[i]!);
    results[i]!.dispose();
  });
}

const TRIAL: Scalars = {
  variant: 0,
  alpha: 0.5,
  oneMinusAlpha: 0.5,
  epsInside: 1,
  eps: 1,
  updateScale: 2,
  momentum: 0,
  bufferScale: 1,
  gradScale: 1,
  clipValue: Infinity,
  paramScale: 1,
  weightDecay: 0,
  correction: 1,
  emaWeight: 0,
};
// 0.5 · 12 + 0.5 · 2² = 8, and 2 · 2 / (√(8 + 1) + 1) = 1.
const EXPECTED = "9,19,29,39,49,8,8,8,8,8";

/**
 * Takes a small step, whose result is exact whatever the rounding: another version of tf.js, or a fault of a driver, may
 * give something else. It costs the programs that plain steps of biases use as well.
 */
function takeTrialStep(updater: Updater): Variable[] {
  return tidy(() => {
    const filled = (value: number) => tensor1d([value, value, value, value, value]);
    const param = tensor1d([10, 20, 30, 40, 50]).variable(false);
    const squareAvg = filled(12).variable(false);
    updater.update({ variable: param, state: { squareAvg }, steps: 0 }, filled(2), TRIAL);
    return [param, squareAvg];
  });
}

/** Tells whether an updater computes a small step right. */
export function computesRight(updater: Updater): boolean {
  try {
    const planes = takeTrialStep(updater);
    const values = planes.flatMap((plane) => [...plane.dataSync()]);
    dispose(planes);
    return values.join() === EXPECTED;
  } catch {
    return false;
  }
}

/** Tells the same later, for a backend that gives no values at once. It loses data that is disposed of before. */
export async function willComputeRight(updater: Updater): Promise<boolean> {
  try {
    const planes = takeTrialStep(updater);
    const values = await Promise.all(planes.map(async (plane) => [...(await plane.data())]));
    dispose(planes);
    return values.flat().join() === EXPECTED;
  } catch {
    return false;
  }
}
