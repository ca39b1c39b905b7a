/** An optimizer's state as plain data, and the checks that it passes before any of it goes into an optimizer. */

import { type FloatArray, tooLargeIn } from "../base/real.ts";
import { cut, show } from "../base/show.ts";
import { CheckpointError, OptionError } from "../errors.ts";
import type { Kernel } from "../kernel/contract.ts";
import { PLANES, type Plane } from "../kernel/segment.ts";
import type { Arena } from "../memory/arena.ts";
import { mayBeOf } from "../memory/view.ts";
import { type Hyperparameters, learningRateAt, resolveHyperparameters } from "../options/hyperparameters.ts";
import type { WeightSums } from "../options/schedule-free.ts";
import { type CommonOptions, commonOf } from "./handle.ts";
import { isLearned, type LearnedState } from "./learned.ts";
import type { Parts } from "./parts.ts";
import { keptPlanes, reserve } from "./planes.ts";
import { toJson } from "./records.ts";
import type { State, Tensor } from "./tensor.ts";
import { isFloatArray, type Shape } from "./values.ts";

/** One tensor of a state dict, its arrays flat. */
export interface TensorState<Elements extends FloatArray = Float32Array> extends State<Elements> {
  /** One dimension for a tensor that was given flat. */
  readonly shape: Shape;
  /** The parameter. */
  readonly param: Elements;
  /** Its running average, with `ema`. */
  readonly ema?: Elements;
  /** The number of steps up to which each row is up to date, of tensors that are updated by rows. */
  readonly rowSteps?: Uint32Array;
}

/** A group of a state dict: the names of its tensors, and its hyperparameters. */
export interface GroupState extends Partial<Hyperparameters>, Partial<WeightSums> {
  /** The names, in the group's order. */
  readonly params: readonly string[];
}

/** The whole optimizer except for the gradients: plain data that can be cloned, stored and sent. */
export interface StateDict<Name extends string = string, Elements extends FloatArray = Float32Array> {
  /** The version of this form. */
  readonly version: 1;
  /** The optimizer's `steps`. */
  readonly steps: number;
  /** The optimizer's `skippedSteps`. */
  readonly skippedSteps: number;
  /** The groups in their order. A schedule of `lr` is given as the rate of the last step. */
  readonly groups: readonly GroupState[];
  /** The tensors of all groups, by name. */
  readonly tensors: Readonly<Record<Name, TensorState<Elements>>>;
  /** The numbers of the learned rate, with `lr: "auto"`. */
  readonly learned?: LearnedState | undefined;
  /** Options that only the constructor takes: `loadStateDict` leaves them alone. */
  readonly options?: CommonOptions | undefined;
}

/** @internal The state of an optimizer whose arrays stand in its tensors already, with the counts of rows by the name of their tensor. */
export interface PlacedState extends Omit<StateDict, "tensors"> {
  readonly placed: ReadonlyMap<string, Uint32Array>;
}

/**
 * Gives the state dict of an optimizer, each array as `copy` makes it of a view when `tensors` are read: that takes most of
 * the time, and not all callers need them.
 *
 * @internal
 */
export function readState(
  { arena, groups, options, progress, learned }: Parts,
  skippedSteps: number,
  copy: (view: FloatArray) => FloatArray,
): StateDict<string, never> {
  progress.refuseSwapped();
  const { steps } = progress;
  return {
    version: 1,
    steps,
    skippedSteps,
    groups: groups.map(({ hyperparameters, tensors, weights }) => ({
      ...hyperparameters,
      // The rate of the last step: a schedule need not be defined beyond it.
      lr: learningRateAt(hyperparameters.lr, Math.max(steps - 1, 0), arena.real),
      ...weights?.after(steps),
      params: tensors.map(({ name }) => name),
    })),
    get tensors() {
      const entries = groups.flatMap(({ hyperparameters, tensors }) => {
        const planes = keptPlanes(hyperparameters, options);
        return tensors.map((tensor): [string, TensorState<never>] => {
          const state: Record<string, unknown> = { shape: [...(tensor.shape ?? [tensor.count])] };
          for (const plane of planes) state[plane] = copy(tensor.view(plane));
          if (tensor.rowSteps !== 0) state.rowSteps = tensor.stepsOfRows.slice();
          return [tensor.name, state as unknown as TensorState<never>];
        });
      });
      return Object.defineProperty(Object.fromEntries(entries), "toJSON", { value: toJson });
    },
    options: commonOf(options),
    ...(learned && { learned: learned.state }),
  };
}

/** The most steps that are counted: more don't fit the cell that threads share. */
const MAX_STEPS = 2 ** 31 - 1;

/** Refuses a step beyond the last that can be counted. */
export function refuseOverflow(steps: number): void {
  if (steps < MAX_STEPS) return;
  throw new OptionError(
    `${MAX_STEPS} steps were taken, the most that count: go on with loadStateDict({ ...stateDict(), steps: 2 ** 30 }).`,
  );
}

/** An array of a state dict, and the plane of the tensor that it goes into. */
interface Write {
  readonly tensor: Tensor;
  readonly plane: Plane;
  readonly values: FloatArray;
}

/**
 * Copies a state dict into the groups, all of it or nothing: first come the checks, then all that may fail for want of
 * memory, then writes that can't fail.
 *
 * @internal
 */
export function writeState(
  dict: StateDict<string, FloatArray> | PlacedState,
  { groups, options, arena, rows, kernel, progress, learned }: Parts,
): void {
  progress.refuseSwapped();
  if (dict?.version !== 1) {
    throw new CheckpointError(
      `The state: got ${show(dict)}, expected what stateDict() gives, of version 1; restore of rmsprop-wasm/checkpoint takes files.`,
    );
  }
  if (learned ? !isLearned(dict.learned) : dict.learned !== undefined) {
    refuse("learned", dict.learned, learned ? "6 numbers each as m, v, r, s" : 'none, without lr: "auto"');
  }
  checkCount("steps", dict.steps, MAX_STEPS, "a whole number below 2 ** 31");
  checkCount("skippedSteps", dict.skippedSteps, Number.MAX_SAFE_INTEGER, "a whole number below 2 ** 53");
  if (dict.groups?.length !== groups.length) refuse("groups.length", dict.groups?.length, groups.length);

  const nexts = groups.map((group, i) => {
    const { params, weightSum, lrMax, ...given } = { ...dict.groups[i] };
    const names = group.tensors.map(({ name }) => name);
    if (!isSameList(params, names)) refuse(`groups[${i}].params`, params, names);
    checkWeight(`groups[${i}].weightSum`, weightSum, group.weights !== undefined);
    checkWeight(`groups[${i}].lrMax`, lrMax, group.weights !== undefined);
    const own = group.hyperparameters;
    const { rowwiseState = false } = given;
    if (rowwiseState !== own.rowwiseState) {
      refuse(`groups[${i}].rowwiseState`, rowwiseState, own.rowwiseState);
    }
    // A function can't be saved: the optimizer's own schedule goes on, from the dict's step.
    if (typeof own.lr === "function") given.lr = own.lr;
    // Unlike an option, it may have been saved as undefined.
    const base = "sparse" in given ? { ...own, sparse: undefined } : own;
    return resolveHyperparameters(given, arena.real, base);
  });
  const { placed, tensors } = dict as PlacedState & StateDict<string, FloatArray>;
  const counts: { tensor: Tensor; values: Uint32Array | undefined }[] = [];
  const writes: Write[] = [];
  groups.forEach((group, i) => {
    const wanted = keptPlanes(nexts[i]!, options);
    for (const tensor of group.tensors) {
      const theirs = tensors?.[tensor.name];
      const given = placed ? placed.get(tensor.name) : theirs?.rowSteps;
      const values = rowStepsOf(given, tensor, dict.steps);
      if (values || tensor.rowSteps !== 0) counts.push({ tensor, values });
      if (!placed) addWrites(writes, theirs, tensor, wanted, arena);
    }
  });
  groups.forEach((group, i) => {
    group.check(nexts[i]!);
  });

  const tables = counts.map(({ tensor }) => tensor).filter(({ rowSteps }) => rowSteps === 0);
  const wants = groups.flatMap((group, i) => group.wantsFor(nexts[i]!));
  rows.track(tables, dict.steps, reserve(arena, wants, rows.bytesOf(tables)));

  // Nothing is behind: a change would bring rows up to date that are about to be overwritten.
  for (const { tensor } of counts) tensor.stepsOfRows.fill(MAX_STEPS);
  groups.forEach((group, i) => {
    group.change(nexts[i]!);
    group.weights?.set(dict.steps, dict.groups[i] as WeightSums);
  });
  for (const { tensor, values } of counts) {
    if (values) tensor.stepsOfRows.set(values);
    else tensor.stepsOfRows.fill(dict.steps);
  }
  for (const { tensor, plane, values } of writes) tensor.view(plane).set(values);
  for (const group of groups) group.each("squareAvg", (averages) => bound(averages, kernel));
  progress.tables = rows.tables;
  if (learned) learned.state = dict.learned!;
  progress.steps = dict.steps;
}

/**
 * Lowers the infinite averages that other libraries leave behind a gradient whose square overflows: an average that
 * moves by a share of the difference would become NaN. The kernel's sum of squares tells whether there are any in a tenth of
 * the time that a search takes.
 */
function bound(averages: FloatArray, kernel: Kernel): void {
  if (Number.isFinite(kernel.sumOfSquares(averages.byteOffset, averages.length, 1))) return;
  const { largestFinite } = kernel.real;
  for (let i = averages.indexOf(Infinity); i >= 0; i = averages.indexOf(Infinity, i + 1)) {
    averages[i] = largestFinite;
  }
}

/** A copy of the counts of a tensor's rows, which a dict may have also where the optimizer has taken no step by rows yet. */
function rowStepsOf(
  values: Uint32Array | undefined,
  { name, rows }: Tensor,
  steps: number,
): Uint32Array | undefined {
  if (values === undefined) return;
  const isCounts = Object.prototype.toString.call(values) === "[object Uint32Array]";
  const length = isCounts ? values.length : values;
  if (length !== rows?.count) {
    refuse(`${name}.rowSteps.length`, length, rows?.count ?? "none");
  }
  const ahead = values.find((count) => count > steps);
  if (ahead !== undefined) refuse(`${name}.rowSteps`, ahead, `at most its steps, ${steps}`);
  return values.slice();
}

/** Adds the writes of one tensor, once they are checked. */
function addWrites(
  writes: Write[],
  theirs: TensorState<FloatArray> | undefined,
  tensor: Tensor,
  wanted: readonly Plane[],
  arena: Arena,
): void {
  const { name, shape } = tensor;
  if (shape && !isSameList(theirs?.shape, shape)) refuse(`${name}.shape`, theirs?.shape, shape);
  for (const plane of PLANES) {
    const values = theirs?.[plane as "param"];
    const expected = wanted.includes(plane) ? tensor.countIn(plane) : undefined;
    const length = isFloatArray(values) ? values.length : undefined;
    if (length !== expected || (length === undefined && values !== undefined)) {
      refuse(`${name}.${plane}.length`, length ?? values, expected ?? "none");
    }
    if (!values) continue;
    // An average that is too large becomes the largest number, as below.
    const at = plane === "squareAvg" ? -1 : tooLargeIn(values, arena.real);
    if (at >= 0)
      refuse(`${name}.${plane}[${at}]`, values[at], "numbers that a float32 can hold, at most 3.4e38");
    const safe = apart(values, tensor, plane, arena.memory);
    if (safe) writes.push({ tensor, plane, values: safe });
  }
}

/**
 * Copies values within the memory, which other writes may change before they are read, and its growth would empty. Gives
 * nothing for those that stand in their place already: growth keeps them there, unless the plane only comes into use by this.
 */
function apart(
  values: FloatArray,
  { segment, group }: Tensor,
  plane: Plane,
  memory: WebAssembly.Memory,
): FloatArray | undefined {
  const isThere = values.buffer === memory.buffer && values.byteOffset === segment[plane];
  const mayWait = plane === "momentumBuffer" || plane === "gradAvg";
  if (isThere && (!mayWait || group.statePlanes.includes(plane))) return;
  return mayBeOf(memory, values) ? values.slice() : values;
}

function checkCount(name: string, count: unknown, most: number, wanted: string): void {
  const isCount = Number.isInteger(count) && (count as number) >= 0 && (count as number) <= most;
  if (!isCount) refuse(name, count, wanted);
}

/** Checks a number that groups have with `scheduleFree`, and with nothing else. */
function checkWeight(name: string, value: unknown, isWanted: boolean): void {
  if (!isWanted && value !== undefined) refuse(name, value, "none");
  if (isWanted && !(typeof value === "number" && value >= 0 && value < Infinity)) {
    refuse(name, value, "a number from 0 up, as scheduleFree keeps it");
  }
}

function isSameList(given: unknown, wanted: readonly unknown[]): boolean {
  return (
    Array.isArray(given) && given.length === wanted.length && wanted.every((value, i) => value === given[i])
  );
}

function refuse(place: string, given: unknown, wanted: unknown): never {
  const text = typeof wanted === "string" ? wanted : show(wanted);
  throw new CheckpointError(
    `${cut(place)} of the state: got ${show(given)}, expected ${text}. Make the optimizer as the saved one was.`,
  );
}
