/** Handles: plain data that one thread sends another, so that both have an optimizer on the same tensors. */

import type { Real } from "../base/real.ts";
import { checkIsPlain, type Rules, refuseSurplus, resolve } from "../base/rules.ts";
import { show } from "../base/show.ts";
import { MemoryError, OptionError, ParameterError } from "../errors.ts";
import type { Segment } from "../kernel/segment.ts";
import type { Arena } from "../memory/arena.ts";
import { isShared } from "../memory/layout.ts";
import { HYPERPARAMETERS, type Hyperparameters } from "../options/hyperparameters.ts";
import type { OptimizerOptions, Options, ResolvedOptions } from "../options/options.ts";
import { misplacedOption } from "../options/places.ts";
import type { Group } from "./group.ts";
import type { ParsedGroup } from "./params.ts";
import type { Shape } from "./values.ts";

/** Rises with every change of a handle's contents, or of the cells in the memory. */
const VERSION = 6;

/** The options that hold for every optimizer on the tensors. */
export type CommonOptions = Pick<
  OptimizerOptions,
  "globalClipNorm" | "nonFinite" | "ema" | "scheduleFree"
> & {
  /** Only where the rate is learned. */
  readonly lr?: "auto" | undefined;
};

/** The argument of `RMSprop.attach`. Plain data: post it to another thread as it is. */
export interface Handle {
  /** Version of a handle's contents: both sides' libraries must agree on it. */
  readonly version: number;
  /** The type of all elements, by the entry that the handle is of. */
  readonly elements: "float32" | "float64";
  /** The memory of the tensors, a shared one. */
  readonly memory: WebAssembly.Memory;
  /** Byte offset of the count of steps. */
  readonly progress: number;
  /** The places of each group's tensors, and its hyperparameters. */
  readonly groups: readonly HandleGroup[];
  /** The options that hold for every optimizer on the tensors. */
  readonly options: CommonOptions;
}

interface HandleGroup {
  /** The hyperparameters when the handle was made. A schedule can't be posted: `lr` is undefined then. */
  readonly hyperparameters: Omit<Hyperparameters, "lr"> & { readonly lr: number | undefined };
  readonly tensors: readonly {
    name: string;
    shape: Shape | undefined;
    isAdopted: boolean;
    segment: Segment;
    rowSteps: number;
  }[];
}

/** The options of `RMSprop.attach`. */
export interface AttachOptions {
  /** The learning rate of groups whose own is a schedule, which can't be posted. */
  readonly lr?: Hyperparameters["lr"];
}

const ATTACH_OPTIONS: Rules<Required<AttachOptions>> = /* @__PURE__ */ (() => ({ lr: HYPERPARAMETERS.lr }))();

/** A copy of the options that hold for every optimizer on the tensors, as handles and state dicts hold it. */
export function commonOf(options: ResolvedOptions): CommonOptions {
  const { globalClipNorm, nonFinite, ema, scheduleFree, lr } = options;
  return { globalClipNorm, nonFinite, ema: ema && { ...ema }, scheduleFree, lr };
}

/** The parts of an optimizer that a handle tells of. */
interface HandledParts {
  readonly arena: Arena;
  readonly progressPtr: number;
  readonly groups: readonly Group[];
  readonly options: ResolvedOptions;
}

/** @internal */
export function handleOf({ arena, progressPtr, groups, options }: HandledParts): Handle {
  const { real, memory } = arena;
  if (!isShared(memory)) {
    throw new MemoryError(
      "No other thread can see this memory: set threads above 1, or a shared options.memory.",
    );
  }
  return {
    version: VERSION,
    elements: real.name,
    memory,
    progress: progressPtr,
    groups: groups.map(({ hyperparameters, tensors }) => ({
      hyperparameters: {
        ...hyperparameters,
        lr: typeof hyperparameters.lr === "number" ? hyperparameters.lr : undefined,
      },
      tensors: tensors.map(({ name, shape, isAdopted, segment, rowSteps }) => ({
        name,
        shape: shape && [...shape],
        isAdopted,
        segment: { ...segment },
        rowSteps,
      })),
    })),
    options: commonOf(options),
  };
}

/**
 * A handle in the form that the constructor takes: tensors that have their places already, and how to train them.
 *
 * @internal
 */
export class Attachment {
  readonly groups: readonly ParsedGroup[];
  readonly options: Options;
  readonly progress: number;

  /** @throws ParameterError for anything but a handle of this version and type. */
  constructor(handle: Handle, options: AttachOptions, real: Real, other?: unknown) {
    refuseSurplus("attach", [other]);
    checkIsPlain(options);
    const { lr } = resolve<AttachOptions>(ATTACH_OPTIONS, {}, options, real, [], misplacedOption);
    if (handle?.version !== VERSION) {
      throw new ParameterError(
        `Handle: got ${show(handle)}, expected what optimizer.handle gives, of version ${VERSION}: use the same rmsprop-wasm on both sides.`,
      );
    }
    if (handle.elements !== real.name) {
      throw new ParameterError(
        `Handle: got one of ${show(handle.elements)}, expected ${show(real.name)}: attach by the entry it is of.`,
      );
    }
    this.groups = handle.groups.map(({ hyperparameters, tensors }) => {
      const overrides = { ...hyperparameters, lr: hyperparameters.lr ?? lr };
      if (overrides.lr === undefined) {
        throw new OptionError("A handle can't hold a schedule: attach with { lr }.");
      }
      return {
        overrides: overrides as Hyperparameters,
        tensors: tensors.map(({ name, shape, isAdopted, segment, rowSteps }) => ({
          name,
          shape: shape && [...shape],
          count: segment.count,
          placed: { isAdopted, segment, rowSteps },
        })),
      };
    });
    this.options = { memory: handle.memory, ...handle.options }; // a memory is the first that JSON loses
    this.progress = handle.progress;
  }
}
