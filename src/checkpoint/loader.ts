/** An optimizer in the making: from a file's header first, then from its tensors, piece by piece. */

import { show } from "../base/show.ts";
import { CheckpointError, MemoryError, OptionError } from "../errors.ts";
import type { Plane } from "../kernel/segment.ts";
import type { ParamGroup } from "../optimizer/params.ts";
import type { Parts } from "../optimizer/parts.ts";
import type { GroupState, StateDict } from "../optimizer/state-dict.ts";
import type { Options } from "../options/options.ts";
import { type AnyOptimizer, type Carried, type CarriedTensor, carry, roomFor } from "./carried.ts";
import { areFloatsOf, decode, viewOf } from "./dtypes.ts";
import type { Entry } from "./entry.ts";
import { annotationsOf, declaredIn, flattenedKey, groupsOf, stateTest } from "./flattened.ts";
import {
  addCount,
  beginsAtParam,
  type Count,
  type Findings,
  findParts,
  hasFreshCounts,
  type Part,
  partsOf,
  shapesOf,
  stepsOf,
  usesCounts,
} from "./keys.ts";
import { isBehind, type RunSettings, refuseOtherSteps } from "./missed-rows.ts";
import { isHyperparameter } from "./pytorch-names.ts";
import { bytesIn, type Header } from "./safetensors.ts";

/** Makes the optimizer of a file: each entry of the package has its own class. */
export type Make<Made extends AnyOptimizer> = (params: readonly ParamGroup[], options: Options) => Made;

/** @internal */
export class Loader<Made extends AnyOptimizer> {
  readonly #optimizer: Made;
  readonly #groups: readonly GroupState[];
  readonly #isOurs: boolean;
  readonly #skippedSteps: number;
  readonly #learned: StateDict["learned"];
  readonly #findings: Findings;
  /** Tensors that aren't in the optimizer's memory: counts of rows, and those that are carried along. */
  readonly #rooms: ReadonlyMap<Entry, CarriedTensor>;
  readonly #carried: Carried;
  readonly #counts: Count[] = [];
  /** The counts of rows, by the name of their tensor. */
  readonly #rowSteps = new Map<string, CarriedTensor>();
  /** The settings of the saved run, and those of the next. */
  readonly #saved: RunSettings;
  readonly #next: RunSettings;
  readonly #parts: Parts;
  /** The optimizer's memory, as it was last. */
  #memory = new Uint8Array();

  constructor(header: Header, options: Options, make: Make<Made>) {
    const annotations = annotationsOf(header);
    const { own } = annotations;
    if (own?.isScheduled && options.lr === undefined) {
      throw new OptionError(
        "The learning rate was a function, which a file can't hold: load with { lr }, the same function or a number.",
      );
    }
    const overrides = Object.fromEntries(
      Object.entries(options).filter(
        ([name, value]) => isHyperparameter(name) && value !== undefined && value !== "auto",
      ),
    );
    const { groups, keys } = groupsOf(header, annotations);
    this.#groups = groups.map((group) => ({ ...group, ...overrides }));
    const ownOptions = { ...own?.options, ...options, lr: options.lr ?? own?.options?.lr };
    const isScheduled = own?.isScheduled ?? false;
    this.#saved = { ...own?.options, groups, isScheduled };
    this.#next = {
      ...ownOptions,
      groups: this.#groups,
      isScheduled: options.lr === undefined ? isScheduled : typeof options.lr === "function",
    };
    const parts = partsOf(this.#groups, ownOptions);
    this.#findings = findParts(header, parts, flattenedKey, declaredIn(annotations));
    const shapes = shapesOf([this.#findings], this.#groups);
    this.#isOurs = own !== undefined;
    this.#skippedSteps = own?.skippedSteps ?? 0;
    this.#learned = own?.learned;
    const { parts: found, rowSteps, others } = this.#findings;
    const isState = own ? () => false : stateTest(header);
    this.#rooms = roomsFor([...rowSteps, ...others.filter(({ name }) => !isState(name))]);
    const tensors = new Map<string, CarriedTensor>();
    for (const [{ index, name }, tensor] of this.#rooms) {
      const part = found[index];
      if (part) this.#rowSteps.set(part.name, tensor);
      else tensors.set(name, tensor);
    }
    this.#carried = { tensors, keys };

    const params = this.#groups.map(({ weightSum, lrMax, ...group }) => ({
      ...group,
      params: Object.fromEntries(group.params.map((name) => [name, shapes.get(name)!])),
    }));
    this.#optimizer = make(params, ownOptions);
    this.#parts = this.#optimizer.parts();
  }

  /** Takes bytes of a tensor, from its byte `start` on: whole elements. */
  take(entry: Entry, bytes: Uint8Array, start = 0): void {
    const part = this.#findings.parts[entry.index];
    if (!part || part.what === "rowSteps") {
      this.#rooms.get(entry)?.bytes.set(bytes, start);
    } else if (part.what === "step") {
      addCount(this.#counts, entry, entry.dtype.read!(viewOf(bytes), 0));
    } else {
      const tooLarge = this.#write(entry, bytes, start, part);
      // An average that is too large becomes the largest number.
      if (tooLarge !== undefined && part.what !== "squareAvg") {
        throw new CheckpointError(
          `${show(entry.name)}: got ${tooLarge}, expected numbers that a float32 can hold, at most 3.4e38: load with the RMSprop of rmsprop-wasm/f64.`,
        );
      }
    }
  }

  /** Gives the optimizer, once everything was taken. */
  finish(): Made {
    const mustAgree = this.#isOurs || usesCounts(this.#groups);
    const { fresh } = this.#findings;
    const steps = stepsOf(this.#counts, mustAgree, hasFreshCounts(fresh));
    const { tensors } = this.#parts;
    for (const { name, what } of fresh) {
      // Other state begins as the constructor has made it.
      if (beginsAtParam(what)) tensors.get(name)!.view(what).set(tensors.get(name)!.view("param"));
    }
    // Rows that the file doesn't count are up to date by its steps, whatever the new optimizer has begun to count.
    const rowSteps = new Map<string, Uint32Array>();
    for (const [name, { bytes }] of this.#rowSteps) rowSteps.set(name, new Uint32Array(bytes.buffer));
    refuseOtherSteps(this.#saved, this.#next, (name) => isBehind(rowSteps.get(name), steps));
    const state = this.#optimizer.stateViews();
    const groups = state.groups.map((group, i) => {
      const { weightSum, lrMax } = this.#groups[i]!;
      return weightSum === undefined ? group : { ...group, weightSum, lrMax: lrMax as number };
    });
    const learned = this.#learned ?? state.learned;
    const skippedSteps = this.#skippedSteps;
    this.#optimizer.loadStateDict({ version: 1, groups, steps, skippedSteps, learned, placed: rowSteps });
    carry(this.#optimizer, this.#carried);
    return this.#optimizer;
  }

  /** Ends what the optimizer has begun. */
  abandon(): void {
    this.#optimizer.dispose();
  }

  /** Writes elements where they stand: views of all tensors took a quarter of the time that a file of many takes. */
  #write({ dtype }: Entry, bytes: Uint8Array, start: number, { name, what }: Part): number | undefined {
    const { arena, tensors } = this.#parts;
    // A memory of the caller's may grow between two pieces of a file, which empties all views.
    if (this.#memory.length === 0) this.#memory = new Uint8Array(arena.memory.buffer);
    const { real } = arena;
    const index = (start * 8) / dtype.bits;
    const byteOffset = tensors.get(name)!.segment[what as Plane] + index * real.bytes;
    if (areFloatsOf(dtype, real.bytes)) {
      this.#memory.set(bytes, byteOffset);
      return undefined;
    }
    const count = (bytes.length * 8) / dtype.bits;
    return decode(dtype, bytes, new real.Array(this.#memory.buffer, byteOffset, count));
  }
}

/** Room for tensors that aren't in the optimizer's memory. */
function roomsFor(entries: readonly Entry[]): Map<Entry, CarriedTensor> {
  try {
    return new Map(entries.map((entry) => [entry, roomFor(entry)]));
  } catch (cause) {
    throw new MemoryError(
      "The file's tensors beside the parameters and their averages are too large for this engine.",
      {
        cause,
      },
    );
  }
}

/** Copies of a whole file's tensors that are carried along, by name. */
export function carriedIn(file: Uint8Array, entries: readonly Entry[]): Map<string, CarriedTensor> {
  const tensors = new Map<string, CarriedTensor>();
  for (const [entry, tensor] of roomsFor(entries)) {
    tensor.bytes.set(bytesIn(file, entry));
    tensors.set(entry.name, tensor);
  }
  return tensors;
}
