/** Which key of a file holds which part of an optimizer's state. */

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

/** What optimizers with such groups keep: steps first of all, then plane by plane, as they lie in memory. */
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

/** What a file is to hold of these parts. */
export function sourcesOf({ tensors, steps }: StateDict, parts: readonly Part[], keyOf: KeyOf): Source[] {
  return parts.map((part) => {
    const { name, what } = part;
    const { shape, ...arrays } = tensors[name]!;
    if (what !== "step") return { name: keyOf(part), shape, values: arrays[what]! };
    // PyTorch counts in float32, which has all whole numbers up to there.
    const values = steps > 2 ** 24 ? Float64Array.of(steps) : Float32Array.of(steps);
    return { name: keyOf(part), shape: [], values };
  });
}

/** A part, and where in a file it lies. */
export interface Found extends Part {
  readonly entry: Entry;
}

/** Finds all these parts in a file, and nothing else. They come in the order in which they lie. */
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

/** The shapes of the tensors by name. All parts of a tensor have one; of steps there is one for each. */
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

/** What was found in whole files, as a state dict: its arrays are views of the files where they can be. */
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
