/** The options of an optimizer: their types, defaults and rules. */
import type { Real } from "../base/real.ts";
import { checkIsPlain, defaultsOf, numberIn, oneOf, type Rules, resolve } from "../base/rules.ts";
import { OptionError } from "../errors.ts";
import { type Backend, MAX_THREADS } from "../kernel/contract.ts";
import type { Allocate } from "../memory/arena.ts";
import { isShared } from "../memory/layout.ts";
import { CLIP, DEFAULTS, HYPERPARAMETERS, type Hyperparameters, isShare } from "./hyperparameters.ts";
import { misplacedOption } from "./places.ts";
import {
  SCHEDULE_FREE,
  type ScheduleFree,
  type ScheduleFreeOptions,
  scheduleFreeOf,
} from "./schedule-free.ts";

/** The treatment of a step whose gradients hold a NaN or an infinity. */
export type NonFinitePolicy = "propagate" | "skip" | "throw";

/** Options of the optimizer as a whole. */
export interface OptimizerOptions {
  /** Largest L2 norm of all gradients of all groups together, above 0: longer ones are scaled down. @defaultValue Infinity */
  globalClipNorm: number;
  /**
   * Treatment of a NaN or an infinity in any gradient: the step is taken all the same, skipped, or throws
   * `NonFiniteError`. A step that is skipped or throws changes nothing at all.
   *
   * @defaultValue "propagate"
   */
  nonFinite: NonFinitePolicy;
  /** A running average of the parameters, kept beside them; none by default. @defaultValue undefined */
  ema:
    | {
        /** The share of the average that each step keeps, 0 to 1. */
        readonly decay: number;
      }
    | undefined;
  /**
   * Averages of the parameters in the place of a schedule of `lr` (Defazio et al., "The Road Less Scheduled", 2024). `true`
   * for the defaults. Gradients are taken where the parameters stand; `eval()` puts the averages in their place, to
   * evaluate or to save a model, and `train()` puts them back. It takes the memory that momentum would take, and replaces
   * `ema`.
   *
   * @defaultValue undefined
   */
  scheduleFree: boolean | ScheduleFreeOptions | undefined;
  /** The memory to work in, such as another module's. By default the optimizer makes one of its own. @defaultValue undefined */
  memory: WebAssembly.Memory | undefined;
  /**
   * Allocator of `memory`, such as its module's `malloc`: gets a number of bytes and gives a byte offset. By default,
   * tensors and state are placed on freshly grown pages. That is safe in a module which claims no pages but those that it
   * grew itself: in Rust's it is, in AssemblyScript's garbage-collected ones once they have allocated anything, in an
   * Emscripten heap it isn't.
   *
   * @defaultValue undefined
   */
  allocate: Allocate | undefined;
  /** The backend to insist on. By default WebAssembly, which falls back to JavaScript. @defaultValue undefined */
  backend: Backend | undefined;
  /**
   * Threads that share each update, the calling thread included: 1 to 64. Above 1 the memory is shared. Workers start in
   * the background, and `ready` resolves when they have; an engine or page without workers stays at one thread.
   *
   * @defaultValue 1
   */
  threads: number;
}

/** The options of an optimizer, each at its value. */
export interface ResolvedOptions extends OptimizerOptions {
  scheduleFree: ScheduleFree | undefined;
  /** Whether the rate is learned. */
  lr: "auto" | undefined;
}

/** The options of the constructor, all optional: hyperparameters for all groups, and those of the optimizer as a whole. */
export interface Options extends Omit<Partial<Hyperparameters>, "lr">, Partial<OptimizerOptions> {
  /**
   * The learning rate of all groups; see `Hyperparameters.lr`. With `"auto"` it is found in training (Cutkosky et al.,
   * "Mechanic", 2023): `optimizer.learnedLr` tells it, and `lr` of a group, 1 by default, is a factor of it. It takes one
   * more plane of memory, `state[name].moved`, and whole steps.
   *
   * @defaultValue 0.01
   */
  lr?: Hyperparameters["lr"] | "auto" | undefined;
}

const EMA_DECAY = /* @__PURE__ */ numberIn(isShare, 0, "from 0 to 1");

/** @internal */
export const NON_FINITE = /* @__PURE__ */ oneOf<NonFinitePolicy>("propagate", "propagate", "skip", "throw");

/** @internal */
export const OPTIMIZER_OPTIONS: Rules<OptimizerOptions> = /* @__PURE__ */ (() => ({
  globalClipNorm: CLIP,
  nonFinite: NON_FINITE,
  ema: {
    default: undefined,
    wanted: "{ decay: a number from 0 to 1 }",
    accepts: (value, real) =>
      typeof value === "object" &&
      value !== null &&
      Object.keys(value).join() === "decay" &&
      EMA_DECAY.accepts((value as { decay: unknown }).decay, real),
  },
  scheduleFree: SCHEDULE_FREE,
  memory: {
    default: undefined,
    wanted: "a WebAssembly.Memory",
    accepts: (value) => Object.prototype.toString.call(value) === "[object WebAssembly.Memory]",
  },
  allocate: {
    default: undefined,
    wanted: "a function from a number of bytes to a byte offset in options.memory",
    accepts: (value) => typeof value === "function",
  },
  backend: oneOf<Backend | undefined>(undefined, "wasm", "js"),
  threads: {
    default: 1,
    wanted: `a whole number from 1 to ${MAX_THREADS}`,
    accepts: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_THREADS,
  },
}))();

const OPTIMIZER_DEFAULTS = /* @__PURE__ */ defaultsOf(OPTIMIZER_OPTIONS);

/** Checks the constructor's options, and parts them into those that groups inherit and those of the whole. */
export function resolveOptions(
  options: Options,
  real: Real,
): {
  inherited: Hyperparameters;
  optimizerOptions: ResolvedOptions;
} {
  checkIsPlain(options);
  const lr = options.lr === "auto" ? options.lr : undefined;
  const own = lr ? { ...options, lr: 1 } : options;
  const inherited = resolve(
    HYPERPARAMETERS,
    DEFAULTS,
    own,
    real,
    Object.keys(OPTIMIZER_OPTIONS),
    misplacedOption,
  );
  const optimizerOptions = resolve(
    OPTIMIZER_OPTIONS,
    OPTIMIZER_DEFAULTS,
    options,
    real,
    Object.keys(HYPERPARAMETERS),
  );
  const { memory, allocate, threads, ema, scheduleFree } = optimizerOptions;
  if (ema !== undefined && scheduleFree) {
    throw new OptionError(
      "Options ema and scheduleFree both average the parameters, and scheduleFree's is made to be evaluated with: leave out ema.",
    );
  }
  if (allocate !== undefined && memory === undefined) {
    throw new OptionError("Option allocate gives places in options.memory: set memory too.");
  }
  if (threads > 1 && memory !== undefined && !isShared(memory)) {
    throw new OptionError(
      `Option threads: got ${threads}, but options.memory isn't shared: make it with { shared: true }, or leave threads out.`,
    );
  }
  // A copy, which a later assignment to the caller's object doesn't change.
  if (ema) optimizerOptions.ema = { decay: ema.decay };
  return {
    inherited,
    optimizerOptions: { ...optimizerOptions, scheduleFree: scheduleFreeOf(scheduleFree, real), lr },
  };
}

/** Refuses to clip by two norms at once. */
export function checkClipping(
  globalClipNorm: number,
  groups: readonly Pick<Hyperparameters, "clipNorm">[],
): void {
  const both = groups.find(({ clipNorm }) => clipNorm !== Infinity);
  if (both && globalClipNorm !== Infinity) {
    throw new OptionError(
      `Options clipNorm ${both.clipNorm} and globalClipNorm ${globalClipNorm} both scale the gradient: leave out one.`,
    );
  }
}
