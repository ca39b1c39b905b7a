/** What one thread sends another, so that both have an optimizer on the same tensors. */

import { show } from "../base/show.ts";
import { MemoryError, OptionError, ParameterError } from "../errors.ts";
import type { Segment } from "../kernel/segment.ts";
import { isShared } from "../memory/layout.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import type { OptimizerOptions, Options } from "../options/options.ts";
import type { Group } from "./group.ts";
import type { ParsedGroup, Shape } from "./params.ts";

/** Goes up with every change of what a handle holds, or of what lies in the memory. */
const VERSION = 1;

/** Options that hold for everyone at work on the tensors. */
export type CommonOptions = Pick<OptimizerOptions, "globalClipNorm" | "nonFinite" | "ema">;

/** What `RMSprop.attach` takes. Plain data: post it, and change nothing. */
export interface Handle {
  /** Of what a handle holds: both sides' libraries must agree on it. */
  readonly version: number;
  /** A shared one. */
  readonly memory: WebAssembly.Memory;
  /** Byte offset of the count of steps. */
  readonly progress: number;
  /** Where each group's tensors lie, and its hyperparameters. */
  readonly groups: readonly HandleGroup[];
  /** What holds for everyone at work on them. */
  readonly options: CommonOptions;
}

interface HandleGroup {
  /** As they were when the handle was made. A schedule can't be posted: `lr` is undefined then. */
  readonly hyperparameters: Omit<Hyperparameters, "lr"> & { readonly lr: number | undefined };
  readonly tensors: readonly {
    name: string;
    shape: Shape | undefined;
    isAdopted: boolean;
    segment: Segment;
  }[];
}

/** What `RMSprop.attach` takes beside the handle. */
export interface AttachOptions {
  /** The schedule of groups that have one: functions can't be posted. */
  readonly lr?: Hyperparameters["lr"];
}

/** @internal */
export function handleOf(
  memory: WebAssembly.Memory,
  progress: number,
  groups: readonly Group[],
  { globalClipNorm, nonFinite, ema }: OptimizerOptions,
): Handle {
  if (!isShared(memory)) {
    throw new MemoryError(
      "No other thread can see this memory: make the optimizer with threads above 1, where memory can be shared, or on a shared options.memory.",
    );
  }
  return {
    version: VERSION,
    memory,
    progress,
    groups: groups.map(({ hyperparameters, tensors }) => ({
      hyperparameters: {
        ...hyperparameters,
        lr: typeof hyperparameters.lr === "number" ? hyperparameters.lr : undefined,
      },
      tensors: tensors.map(({ name, shape, isAdopted, segment }) => ({
        name,
        shape,
        isAdopted,
        segment: { ...segment },
      })),
    })),
    options: { globalClipNorm, nonFinite, ema },
  };
}

/**
 * A handle as the constructor takes it: tensors that are placed already, and how they are trained.
 *
 * @internal
 */
export class Attachment {
  readonly groups: readonly ParsedGroup[];
  readonly options: Options;
  readonly progress: number;

  /** @throws ParameterError for anything but a handle of this version. */
  constructor(handle: Handle, { lr }: AttachOptions) {
    if (handle?.version !== VERSION) {
      throw new ParameterError(
        `Handle: got ${show(handle)} of version ${show(handle?.version)}, expected what optimizer.handle gives, of version ${VERSION}: use the same rmsprop-wasm on both sides.`,
      );
    }
    this.groups = handle.groups.map(({ hyperparameters, tensors }) => {
      const overrides = { ...hyperparameters, lr: hyperparameters.lr ?? lr };
      if (overrides.lr === undefined) {
        throw new OptionError(
          "The learning rate is a schedule, which a handle can't hold: attach with { lr }.",
        );
      }
      return {
        overrides: overrides as Hyperparameters,
        tensors: tensors.map(({ name, shape, isAdopted, segment }) => ({
          name,
          shape,
          count: segment.count,
          placed: { isAdopted, segment },
        })),
      };
    });
    this.options = { ...handle.options, memory: handle.memory };
    this.progress = handle.progress;
  }
}
