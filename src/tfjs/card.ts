/**
 * Updates on graphics cards, as far as tf.js's webgl and webgpu backends agree: a kernel that hands planes to programs,
 * new tensors assigned to the variables, so that clones and pending reads of the old values stay as they are, and a step
 * to try.
 */
import {
  dispose,
  engine,
  getKernel,
  registerKernel,
  type Tensor,
  type TensorInfo,
  tensor1d,
  tidy,
  type Variable,
} from "@tensorflow/tfjs-core";
import { scalarsOf } from "../options/scalars.ts";
import { operations } from "./operations.ts";
import { DEFAULTS } from "./options.ts";
import { type Input, inputsOf, type Output, outputsOf, SCALARS, variantOf } from "./shader.ts";
import type { Updater } from "./updater.ts";

/** The name under which tf.js knows the update. */
export const KERNEL = "RmspropWasmUpdate";

/** A run of one program: the planes it reads and writes, all of one shape. */
export interface Job {
  readonly variant: number;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly shape: number[];
  /** The tensors of `inputs`. */
  readonly tensors: TensorInfo[];
  /** The numbers of the step, as `SCALARS` lists them. */
  readonly scalars: readonly number[];
}

type Planes = Record<Input, TensorInfo>;

/**
 * Makes the updater of a backend.
 *
 * @param most - the most outputs that one program can have, of so many planes that it reads and writes.
 * @param run - runs a program, and gives its outputs.
 */
export function updaterOnCard(
  backendName: string,
  most: (planes: number) => number,
  run: (job: Job) => TensorInfo[],
): Updater {
  if (!getKernel(KERNEL, backendName)) {
    // tf.js moves the inputs to the backend first, and makes tensors of the outputs.
    registerKernel({
      kernelName: KERNEL,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        (attrs as unknown as { compute(planes: Planes): TensorInfo[] }).compute(inputs as Planes),
    });
  }
  return {
    ...operations,
    update({ variable, state }, gradient, scalars) {
      const variant = variantOf(scalars);
      const { shape } = variable;
      const outputs = outputsOf(variant);
      const size = most(inputsOf(variant, outputs).length + outputs.length);
      const numbers = SCALARS.map((name) => scalars[name]);
      const compute = (planes: Planes) =>
        inParts(outputs, size).flatMap((part) => {
          const inputs = inputsOf(variant, part);
          const tensors = inputs.map((input) => planes[input]);
          return run({ variant, inputs, outputs: part, shape, tensors, scalars: numbers });
        });
      const inputs = { param: variable, grad: gradient, ...state };
      const results = engine().runKernel(KERNEL, inputs, { compute } as never) as Tensor[];
      outputs.forEach((output, i) => {
        const plane: Variable = output === "param" ? variable : state[output]!;
        plane.assign(results[i]!);
        results[i]!.dispose();
      });
    },
  };
}

function inParts<One>(list: readonly One[], size: number): One[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** A step of 0.75 · 1 + 0.25 · 3² = 3 and 2 · 3 / √(3 + 1) = 3, by a program that plain steps of biases use as well. */
const TRIAL = /* @__PURE__ */ (() => {
  const options = { ...DEFAULTS, alpha: 0.75, eps: 1 };
  return scalarsOf(options, 2, { step: 0, gradScale: 1, zeroGrad: false, emaDecay: undefined });
})();
const [PARAM, SQUARE_AVG, GRADIENT] = [10, 1, 3];

/** Takes a small step: another version of tf.js, or a fault of a driver, may give something else than it should. */
function takeTrialStep({ update }: Updater): Variable[] {
  return tidy(() => {
    const filled = (value: number) => tensor1d([value, value, value, value, value]);
    const param = filled(PARAM).variable(false);
    const squareAvg = filled(SQUARE_AVG).variable(false);
    update({ variable: param, state: { squareAvg }, steps: 0 }, filled(GRADIENT), TRIAL);
    return [param, squareAvg];
  });
}

/** Allows for a card's roots and divisions, which may err even where the result is a whole number. */
function isRight([params, squareAvgs]: readonly (readonly number[])[]): boolean {
  const near = (expected: number) => (value: number) => Math.abs(value - expected) < 0.01;
  return params!.every(near(PARAM - 3)) && squareAvgs!.every(near(3));
}

/** Tells whether an updater computes a small step right. */
export function computesRight(updater: Updater): boolean {
  try {
    const planes = takeTrialStep(updater);
    const values = planes.map((plane) => [...plane.dataSync()]);
    dispose(planes);
    return isRight(values);
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
    return isRight(values);
  } catch {
    return false;
  }
}
