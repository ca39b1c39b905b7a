/** The parts of an optimizer's state, and the keys under which a file holds them. */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import { keptPlanes } from "../optimizer/group.ts";
import type { Shape } from "../optimizer/params.ts";
import type { GroupState, StateDict } from "../optimizer/state-dict.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import { firstValue, valuesOf } from "./dtypes.ts";
import type { STATE_KEYS } from "./pytorch-names.ts";
import { bytesIn, type Entry, type Header, type Source } from "./safetensors.ts";

/** An array of a tensor; or the count of steps, which PyTorch keeps with each. */
export interface Part {
  readonly name: string;
  readonly what: "param" | keyof typeof STATE_KEYS;
}

export type KeyOf = (part: Part) => string;

/** All parts that optimizers with such groups keep: steps first, then plane by plane, in the order of memory. */
export function partsOf(groups: readonly GroupState[], hasEma: boolean): Part[] {
  const order: Part["what"][] = ["step", "param", "squareAvg", "momentumBuffer", "gradAvg", "ema"];
  return order.flatMap((what) =>
    groups.flatMap((group) => {
      const { momentum = 0, centered = false } = group;
      const planes: string[] = keptPlanes({ momentum, centered } as Hyperparameters, hasEma);
      return what === "step" || planes.includes(what) ? group.params.map((name) => ({ name, what })) : [];
    }),
  );
}

/** The tensors that a file of these parts holds. */
export function sourcesOf({ tensors, steps }: StateDict, parts: readonly Part[], keyOf: KeyOf): Source[] {
  return parts.map((part) => {
    const { name, what } = part;
    const { shape, ...arrays } = tensors[name]!;
    if (what !== "step") return { name: keyOf(part), shape, values: arrays[what]! };
    // PyTorch counts in float32, which has all whole numbers up to 2 ** 24.
    const values = steps > 2 ** 24 ? Float64Array.of(steps) : Float32Array.of(steps);
    return { name: keyOf(part), shape: [], values };
  });
}

/** A part, and its place in a file. */
export interface Found extends Part {
  readonly entry: Entry;
}

/** Finds all these parts in a file, and nothing else. The result has the file's order. */
export function findParts({ entries }: Header, parts: readonly Part[], keyOf: KeyOf): Found[] {
  const wanted = new Map(parts.map((part) => [keyOf(part), part]));
  const found = entries.map((entry) => {
    const part = wanted.get(entry.name);
    if (!part) throw new CheckpointError(`${show(entry.name)}: the optimizer keeps nothing of this name.`);
    wanted.delete(entry.name);
    return { ...part, entry };
  });
  const [missing] = wanted.keys();
  if (missing !== undefined) throw new CheckpointError(`${show(missing)} is missing in the file.`);
  return found;
}

/** The shapes of the tensors by name. All parts of a tensor have the same; a count of steps is a single number. */
export function shapesOf(found: readonly Found[]): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const { name, what, entry } of found) {
    if (what !== "step" && !shapes.has(name)) shapes.set(name, entry.shape);
    const fits = what === "step" ? entry.count === 1 : show(entry.shape) === show(shapes.get(name));
    if (!fits) {
      const wanted = what === "step" ? "a single number" : `${show(shapes.get(name))}, as of ${show(name)}`;
      throw new CheckpointError(`${show(entry.name)}: shape is ${show(entry.shape)}, expected ${wanted}.`);
    }
  }
  return shapes;
}

/** The count of steps, which all parameters must have in common. */
export function commonSteps([first, ...others]: readonly (readonly [Found, number])[]): number {
  const [{ entry }, steps] = first!;
  for (const [other, count] of others) {
    if (!Object.is(count, steps)) {
      throw new CheckpointError(
        `${show(other.entry.name)} is ${count} and ${show(entry.name)} is ${steps}: expected as many steps of all parameters.`,
      );
    }
  }
  return steps;
}

/** A state dict of the parts that were found in whole files: its arrays are views of the files where alignment allows. */
export function stateFrom(
  files: readonly { found: readonly Found[]; bytes: Uint8Array }[],
  groups: readonly GroupState[],
  skippedSteps: number,
): StateDict {
  const steps: [Found, number][] = [];
  const arrays = new Map<string, [string, unknown][]>();
  for (const { found, bytes } of files) {
    for (const part of found) {
      const { name, what, entry } = part;
      const own = bytesIn(bytes, entry);
      if (what === "step") steps.push([part, firstValue(entry.dtype, own)]);
      else arrays.set(name, [...(arrays.get(name) ?? []), [what, valuesOf(entry.dtype, own)]]);
    }
  }
  const shapes = shapesOf(files.flatMap(({ found }) => found));
  const tensors = [...arrays].map(([name, values]) => [
    name,
    Object.fromEntries([["shape", shapes.get(name)], ...values]),
  ]);
  return {
    version: 1,
    steps: commonSteps(steps),
    skippedSteps,
    groups,
    tensors: Object.fromEntries(tensors),
  };
}
