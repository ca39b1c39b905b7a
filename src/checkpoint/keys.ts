/** The parts of an optimizer's state, and the keys under which a file holds them. */

import type { FloatArray } from "../base/real.ts";
import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { Shape } from "../optimizer/params.ts";
import { type Kept, keptPlanes } from "../optimizer/planes.ts";
import type { GroupState, StateDict, TensorState } from "../optimizer/state-dict.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import { dtypeOf, viewOf } from "./dtypes.ts";
import { type Entry, isSameShape, valuesOf } from "./entry.ts";
import { STATE_KEYS } from "./pytorch-names.ts";
import { bytesIn, type Header, type Source, twoThings } from "./safetensors.ts";

/** An array of a tensor; or the count of steps, which PyTorch keeps with each. */
export interface Part {
  readonly name: string;
  readonly what: "param" | keyof typeof STATE_KEYS;
}

export type KeyOf = (part: Part) => string;

/**
 * All parts that optimizers with such groups keep: steps first, then plane by plane, in the order of memory. The counts of
 * rows come last; a tensor has them once there was a step by rows.
 */
export function partsOf(groups: readonly GroupState[], options: Kept = {}): Part[] {
  const order: Part["what"][] = [
    "step",
    "param",
    "squareAvg",
    "momentumBuffer",
    "gradAvg",
    "ema",
    "z",
    "moved",
    "rowSteps",
  ];
  const parts: Part[] = [];
  for (const what of order) {
    for (const group of groups) {
      const { momentum = 0, centered = false } = group;
      const planes: string[] = keptPlanes({ momentum, centered } as Hyperparameters, options);
      const isKept = what === "step" || what === "rowSteps" || planes.includes(what);
      for (const name of isKept ? group.params : []) parts.push({ name, what });
    }
  }
  return parts;
}

/** The tensors that a file of these parts holds. */
export function sourcesOf(
  { groups, tensors, steps }: StateDict<string, FloatArray>,
  parts: readonly Part[],
  keyOf: KeyOf,
): Source[] {
  // PyTorch counts in float32, which has all whole numbers up to 2 ** 24.
  const count = steps > 2 ** 24 ? Float64Array.of(steps) : Float32Array.of(steps);
  const rowwise = rowwiseIn(groups);
  const sources: Source[] = [];
  for (const part of parts) {
    const { what } = part;
    const tensor = tensors[part.name]!;
    const values = what === "step" ? count : tensor[what];
    if (values === undefined) continue; // counts of rows where no step was by rows
    const shape = what === "step" ? [] : isOfRows(part, rowwise) ? tensor.shape.slice(0, 1) : tensor.shape;
    const dtype = what === "rowSteps" ? "U32" : dtypeOf(values as FloatArray);
    sources.push({ name: keyOf(part), shape, dtype, values });
  }
  return sources;
}

/** The option that keeps a part, for errors where a file has none. */
const OPTION_OF: Partial<Record<Part["what"], string>> = {
  momentumBuffer: "momentum",
  gradAvg: "centered",
  ema: "ema",
  z: "scheduleFree",
  moved: 'lr: "auto"',
};

/** The result of looking for parts in a file. */
export interface Findings {
  /** The file's entries. */
  readonly entries: readonly Entry[];
  /** The part that each of them holds; undefined for those that hold anything else. */
  readonly parts: readonly (Part | undefined)[];
  /** Those that hold counts of rows. */
  readonly rowSteps: readonly Entry[];
  /** State that isn't there, and starts anew. */
  readonly fresh: readonly Part[];
  /** All else that the file holds. */
  readonly others: readonly Entry[];
}

/**
 * Finds parts in the entries of a file. The header's own map of names serves for it, and a list beside its entries: other maps, of
 * all parts, took most of the time that a file of many tensors takes.
 *
 * In files by others a parameter may have no state, as one of PyTorch's that never had a gradient: it starts anew. So does
 * an average of the weights, which PyTorch doesn't keep. Half a state is an error.
 *
 * @param declared In files of this package, the names of all other tensors; undefined in files by others, which may hold anything.
 */
export function findParts(
  { entries, byName }: Header,
  wanted: readonly Part[],
  keyOf: KeyOf,
  declared?: ReadonlySet<string>,
): Findings {
  const found: (Part | undefined)[] = new Array(entries.length).fill(undefined);
  const lacking = new Map<string, Part>();
  const isByRows = entries.some(({ name }) => name.endsWith(STATE_KEYS.rowSteps));
  const rowSteps: Entry[] = [];
  let at = 0;
  let stride = 1;
  for (const part of wanted) {
    // Most files have none of these: looking for them took a quarter of the time.
    if (part.what === "rowSteps" && !isByRows) continue;
    const key = keyOf(part);
    // Mostly they stand in this order, or all that is of one tensor stands together. The map takes the hash of each key.
    const next = entries[at + stride];
    const entry = next?.name === key ? next : byName.get(key);
    if (entry ? found[entry.index] : lacking.has(key)) throw twoThings(key);
    if (entry) {
      found[entry.index] = part;
      if (part.what === "rowSteps") rowSteps.push(entry);
      if (entry !== next && entry.index > at) stride = entry.index - at;
      at = entry.index;
    } else if (part.what !== "rowSteps") {
      lacking.set(key, part);
    }
  }
  const others: Entry[] = [];
  for (const entry of entries) {
    const part = found[entry.index];
    if (part) {
      checkType(entry, part);
    } else {
      if (declared && !declared.has(entry.name)) {
        throw new CheckpointError(`${show(entry.name)}: the optimizer keeps nothing of this name.`);
      }
      others.push(entry);
    }
  }
  const findings = { entries, parts: found, rowSteps, others };
  if (lacking.size === 0 && (!declared || others.length === declared.size)) return { ...findings, fresh: [] };
  const started = new Set<string>();
  for (const part of found) if (part && part.what !== "param" && part.what !== "ema") started.add(part.name);
  const missing = [...lacking].find(
    ([, { name, what }]) => declared || what === "param" || (what !== "ema" && started.has(name)),
  );
  if (missing) {
    const option = OPTION_OF[missing[1].what];
    throw new CheckpointError(
      `${show(missing[0])} is missing in the file${option ? `: the saved run had no ${option}, or it was cut out` : ""}.`,
    );
  }
  if (declared && others.length < declared.size) {
    const names = new Set(others.map(({ name }) => name));
    const first = [...declared].find((name) => !names.has(name));
    throw new CheckpointError(`${show(first)} is missing in the file.`);
  }
  return { ...findings, fresh: [...lacking.values()] };
}

function checkType({ name, dtype, count }: Entry, { what }: Part): void {
  const fits = what === "step" ? dtype.read : what === "rowSteps" ? dtype.name === "U32" : dtype.isFloat;
  if (!fits) {
    const wanted = { step: "a number", rowSteps: "U32" }[what as string] ?? "F32, F64, F16 or BF16";
    throw new CheckpointError(`${show(name)}: dtype is ${dtype.name}, expected ${wanted}.`);
  }
  if (what !== "step" && count === 0) {
    throw new CheckpointError(`${show(name)}: a parameter without elements, expected at least one.`);
  }
}

/**
 * The shapes of the tensors by name. All parts of a tensor have the same, but for counts of rows and the mean squares of groups
 * with `rowwiseState`, which have one dimension; a count of steps is a single number.
 */
export function shapesOf(files: readonly Findings[], groups: readonly GroupState[]): Map<string, Shape> {
  const rowwise = rowwiseIn(groups);
  const shapes = new Map<string, Shape>();
  for (const { entries, parts } of files) {
    for (const { index, shape } of entries) {
      const part = parts[index];
      if (part?.what === "param") shapes.set(part.name, shape);
    }
  }
  for (const { entries, parts } of files) {
    for (const entry of entries) {
      const part = parts[entry.index];
      if (part) checkShape(entry, part, shapes, rowwise);
    }
  }
  return shapes;
}

function checkShape(
  entry: Entry,
  part: Part,
  shapes: Map<string, Shape>,
  rowwise: ReadonlySet<string>,
): void {
  const { name, what } = part;
  let shape = shapes.get(name);
  if (shape === undefined) {
    ({ shape } = entry);
    if (what !== "step" && what !== "rowSteps") shapes.set(name, shape);
  }
  if (what === "rowSteps" && shape.length < 2) return; // refused by the optimizer
  const own = isOfRows(part, rowwise) ? shape.slice(0, 1) : shape;
  const fits = what === "step" ? entry.count === 1 : isSameShape(entry.shape, own);
  if (!fits) {
    const wanted = what === "step" ? "a single number" : `${show(own)}, as of ${show(name)}`;
    throw new CheckpointError(`${show(entry.name)}: shape is ${show(entry.shape)}, expected ${wanted}.`);
  }
}

/** Whether a part has one number for each row: a count of steps, or a rowwise average. */
function isOfRows({ name, what }: Part, rowwise: ReadonlySet<string>): boolean {
  return what === "rowSteps" || (what === "squareAvg" && rowwise.has(name));
}

/** The names of tensors in groups with `rowwiseState`. */
function rowwiseIn(groups: readonly GroupState[]): ReadonlySet<string> {
  return new Set(groups.flatMap(({ rowwiseState, params }) => (rowwiseState ? params : [])));
}

/** A count of steps, and the entry that has it. */
export type Count = readonly [entry: Entry, steps: number];

/** Adds a count of steps to those of a file, unless the last one is the same: most files have one count, many times. */
export function addCount(counts: Count[], entry: Entry, steps: number): void {
  if (!Object.is(counts.at(-1)?.[1], steps)) counts.push([entry, steps]);
}

/**
 * The count of steps of a file. An optimizer has one for all parameters. PyTorch's parameters may differ, where a layer was
 * thawed later: then it is the largest, which nothing but bias correction would see.
 *
 * @param mustAgree Whether the parameters' counts must be the same.
 * @param areSomeFresh Whether there are parameters without a count, whose state starts anew.
 */
export function stepsOf(counts: readonly Count[], mustAgree: boolean, areSomeFresh: boolean): number {
  let steps = 0;
  for (const [, count] of counts) steps = Number.isNaN(count) ? count : Math.max(steps, count);
  const negative = counts.find(([, count]) => count < 0);
  if (negative) return negative[1];
  const other = counts.find(([, count]) => !Object.is(count, counts[0]![1]));
  if (mustAgree && (other || (areSomeFresh && steps > 0))) {
    const [entry, first] = counts[0]!;
    const what = other ? `${show(other[0].name)} is ${other[1]}` : "Another parameter has no count";
    throw new CheckpointError(
      `${what} and ${show(entry.name)} is ${first}: expected as many steps of all parameters.`,
    );
  }
  return steps;
}

/** Whether a part begins where the parameter is. */
export const beginsAtParam = (what: Part["what"]) => what === "ema" || what === "z";

/** Gives state that a file doesn't have: averages at their start, the average of the weights at the weights. */
export function freshState({ what }: Part, param: FloatArray, initialSquareAvg: number): FloatArray {
  if (beginsAtParam(what)) return param;
  return param.slice().fill(what === "squareAvg" ? initialSquareAvg : 0);
}

/** Entries found in whole files, with their bytes. */
export interface Read {
  readonly bytes: Uint8Array;
  readonly findings: Findings;
}

/**
 * A state dict of the parts that were found in whole files: its arrays are views of the files where alignment allows.
 *
 * @param given The parameters, where no file has them.
 */
export function stateFrom(
  files: readonly Read[],
  groups: readonly GroupState[],
  isOurs: boolean,
  given?: StateDict<string, FloatArray>["tensors"],
): Pick<StateDict<string, FloatArray>, "steps" | "groups" | "tensors"> {
  const counts: Count[] = [];
  const shapes = shapesOf(
    files.map(({ findings }) => findings),
    groups,
  );
  const rowwise = rowwiseIn(groups);
  const fresh = files.flatMap(({ findings }) => findings.fresh);
  const tensors = new Map<string, Record<string, unknown>>();
  const initial = new Map<string, number>();
  for (const { params, initialSquareAvg = 0 } of groups) {
    for (const name of params) {
      if (fresh.length > 0) initial.set(name, initialSquareAvg);
      const own = given?.[name];
      tensors.set(name, { param: own?.param, shape: shapes.get(name) ?? own?.shape });
    }
  }
  for (const { findings, bytes } of files) {
    const view = viewOf(bytes);
    for (const entry of findings.entries) {
      const part = findings.parts[entry.index];
      if (!part) continue;
      const { name, what } = part;
      const tensor = tensors.get(name)!;
      if (what === "step") addCount(counts, entry, entry.dtype.read!(view, entry.begin));
      else if (what === "rowSteps") tensor.rowSteps = new Uint32Array(bytesIn(bytes, entry).slice().buffer);
      else tensor[what] = valuesOf(entry, bytes);
    }
  }
  for (const part of fresh) {
    if (part.what === "step") continue;
    const tensor = tensors.get(part.name)!;
    const param = tensor.param as FloatArray;
    const alike = isOfRows(part, rowwise) ? param.subarray(0, (tensor.shape as Shape)[0]) : param;
    tensor[part.what] = freshState(part, alike, initial.get(part.name)!);
  }
  return {
    steps: stepsOf(counts, isOurs || usesCounts(groups), hasFreshCounts(fresh)),
    groups,
    tensors: Object.fromEntries(tensors) as Record<string, unknown> as Record<
      string,
      TensorState<FloatArray>
    >,
  };
}

/** Whether a parameter's own count of steps matters to its update. */
export function usesCounts(groups: readonly GroupState[]): boolean {
  return groups.some(({ biasCorrection }) => biasCorrection);
}

export function hasFreshCounts(fresh: readonly Part[]): boolean {
  return fresh.some(({ what }) => what === "step");
}
