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
import type { Scalars } from "../kernel/contract.ts";
import { LateErrors, Skips } from "./guards.ts";
import { type Input, inputsOf, type Output, outputsOf, SCALARS, variantOf } from "./shader.ts";
import type { Updater } from "./updater.ts";

/** The names of tf.js's backends on graphics cards. */
export type CardName = "webgl" | "webgpu";

/** The name under which tf.js knows the update. */
export const KERNEL = "RmspropWasmUpdate";

/** The step that a card is tried with: 0.75 · 1 + 0.25 · 3² = 3 and 10 - 2 · 3 / √(3 + 1) = 7, by a program of plain steps. */
const TRIAL = {
  param: 10,
  squareAvg: 1,
  gradient: 3,
  results: [7, 3],
  scalars: {
    variant: 0,
    alpha: 0.75,
    oneMinusAlpha: 0.25,
    epsInside: 1,
    eps: 0,
    updateScale: 2,
    momentum: 0,
    bufferScale: 1,
    gradScale: 1,
    clipValue: Infinity,
    decoupledDecay: 0,
    weightDecay: 0,
    correction: 1,
    emaWeight: 0,
    zShare: 0,
    stepShare: 1,
    growth: 0,
  } satisfies Scalars,
};

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
 * @param operations - tf.js's own operations, which measure and clip gradients. They are handed over, so that this file brings
 * no second copy.
 * @param most - the most outputs that one program can have beside so many inputs.
 * @param run - runs a program, and gives its outputs.
 */
export function updaterOnCard(
  backendName: CardName,
  operations: Updater,
  most: (inputs: number) => number,
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
    guard(policy) {
      if (!["IsFinite", "All"].every((kernel) => getKernel(kernel, backendName))) return undefined;
      if (policy === "skip") return new Skips();
      return backendName === "webgpu" ? new LateErrors() : undefined;
    },
    update({ variable, state }, gradient, scalars, fine) {
      const variant = variantOf(scalars, fine !== undefined);
      const { shape } = variable;
      const outputs = outputsOf(variant);
      const size = most(inputsOf(variant, outputs).length);
      const numbers = SCALARS.map((name) => scalars[name]);
      const compute = (planes: Planes) =>
        inParts(outputs, size).flatMap((part) => {
          const inputs = inputsOf(variant, part);
          const tensors = inputs.map((input) => planes[input]);
          return run({ variant, inputs, outputs: part, shape, tensors, scalars: numbers });
        });
      const inputs = { param: variable, grad: gradient, ...state, ...(fine && { fine }) };
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

/** Takes a small step: another version of tf.js, or a fault of a driver, may give something else than it should. */
function takeTrialStep({ update }: Updater): Variable[] {
  const { param, squareAvg, gradient, scalars } = TRIAL;
  return tidy(() => {
    const filled = (value: number) => tensor1d([value, value, value, value, value]);
    const variables = [filled(param).variable(false), filled(squareAvg).variable(false)] as const;
    const slot = { variable: variables[0], state: { squareAvg: variables[1] }, steps: 0 };
    update(slot, filled(gradient), scalars);
    return [...variables];
  });
}

/** Allows for a card's roots and divisions, which may err even where the result is a whole number. */
function isRight(values: readonly (readonly number[])[]): boolean {
  return values.every((plane, i) => plane.every((value) => Math.abs(value - TRIAL.results[i]!) < 0.01));
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
