/** An optimizer's state as plain data, and the checks that it passes before any of it goes into an optimizer. */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import { PLANES } from "../kernel/segment.ts";
import { type Hyperparameters, learningRateAt, resolveHyperparameters } from "../options/hyperparameters.ts";
import type { OptimizerOptions } from "../options/options.ts";
import { type Group, keptPlanes } from "./group.ts";
import type { CommonOptions } from "./handle.ts";
import { isFloat32Array, type Shape } from "./params.ts";
import type { State } from "./tensor.ts";

/** One tensor of a state dict, its arrays flat. */
export interface TensorState extends State {
  /** One dimension for a tensor that was given flat. */
  readonly shape: Shape;
  /** The parameter. */
  readonly param: Float32Array;
  /** Its running average, with `ema`. */
  readonly ema?: Float32Array;
}

/** A group of a state dict: the names of its tensors, and its hyperparameters. */
export interface GroupState extends Partial<Hyperparameters> {
  /** The names, in the group's order. */
  readonly params: readonly string[];
}

/** The whole optimizer except for the gradients: plain data that can be cloned, stored and sent. */
export interface StateDict<Name extends string = string> {
  /** The version of this form. */
  readonly version: 1;
  /** The optimizer's `steps`. */
  readonly steps: number;
  /** The optimizer's `skippedSteps`. */
  readonly skippedSteps: number;
  /** The groups in their order. A schedule of `lr` is given as the rate of the last step. */
  readonly groups: readonly GroupState[];
  /** The tensors of all groups, by name. */
  readonly tensors: Readonly<Record<Name, TensorState>>;
  /** Options that only the constructor takes: `loadStateDict` leaves them alone. */
  readonly options?: CommonOptions | undefined;
}

/**
 * Gives the state dict of an optimizer, each array as `copy` makes it of a view.
 *
 * @internal
 */
export function readState(
  groups: readonly Group[],
  { globalClipNorm, nonFinite, ema }: OptimizerOptions,
  steps: number,
  skippedSteps: number,
  copy: (view: Float32Array) => Float32Array,
): StateDict {
  const entries = groups.flatMap(({ hyperparameters, tensors }) =>
    tensors.map((tensor) => {
      const arrays = keptPlanes(hyperparameters, ema).map((plane) => [plane, copy(tensor.view(plane))]);
      return [tensor.name, { shape: [...(tensor.shape ?? [tensor.count])], ...Object.fromEntries(arrays) }];
    }),
  );
  return {
    version: 1,
    steps,
    skippedSteps,
    groups: groups.map(({ hyperparameters, tensors }) => ({
      ...hyperparameters,
      // The rate of the last step: a schedule need not be defined beyond it.
      lr: learningRateAt(hyperparameters.lr, Math.max(steps - 1, 0)),
      params: tensors.map(({ name }) => name),
    })),
    tensors: Object.fromEntries(entries),
    options: { globalClipNorm, nonFinite, ema },
  };
}

/**
 * Checks all of a state dict against the groups before any of it changes them.
 *
 * @internal
 */
export function writeState(dict: StateDict, groups: readonly Group[], { ema }: OptimizerOptions): void {
  expectSame("version", dict?.version, 1);
  for (const name of ["steps", "skippedSteps"] as const) {
    const steps = dict[name];
    const isCount = Number.isInteger(steps) && steps >= 0 && steps < 2 ** 31;
    if (!isCount) expectSame(name, steps, "a whole number below 2 ** 31");
  }
  expectSame("groups.length", dict.groups?.length, groups.length);

  /** Changes that may fail for want of memory stand in front. */
  const changes: (() => void)[] = [];
  groups.forEach((group, i) => {
    const { params, ...given } = { ...dict.groups[i] };
    const names = group.tensors.map(({ name }) => name);
    expectSame(`groups[${i}].params`, params, names);
    const own = group.hyperparameters;
    // A function can't be saved: the optimizer's own schedule goes on, from the dict's step.
    if (typeof own.lr === "function") given.lr = own.lr;
    const next = resolveHyperparameters(given, own);
    changes.unshift(() => group.reserve(next));
    changes.push(() => group.change(next));

    const wanted = keptPlanes(next, ema);
    for (const tensor of group.tensors) {
      const { name, count, shape } = tensor;
      const theirs = dict.tensors?.[name];
      if (shape) expectSame(`${name}.shape`, theirs?.shape, shape);
      for (const plane of PLANES) {
        const values = theirs?.[plane as "param"];
        const length = isFloat32Array(values) ? values.length : values;
        expectSame(`${name}.${plane}.length`, length, wanted.includes(plane) ? count : undefined);
        if (values) changes.push(() => tensor.view(plane).set(values));
      }
    }
  });
  for (const change of changes) change();
}

function expectSame(place: string, given: unknown, wanted: unknown): void {
  if (show(given) !== show(wanted)) {
    throw new CheckpointError(
      `${place} of the state: got ${show(given)}, expected ${show(wanted)}. Make the optimizer as the saved one was.`,
    );
  }
}
