/** The options of an optimizer, of a step and of a raw update: their types, defaults and rules. */
import type { Real } from "../base/real.ts";
import {
  check,
  checkIsPlain,
  defaultsOf,
  FLAG,
  isPlain,
  notPlain,
  numberIn,
  oneOf,
  type Rules,
  resolve,
  unknownOption,
} from "../base/rules.ts";
import { OptionError } from "../errors.ts";
import { type Backend, MAX_THREADS } from "../kernel/contract.ts";
import type { Allocate } from "../memory/arena.ts";
import { isShared } from "../memory/layout.ts";
import {
  CLIP,
  type CoreHyperparameters,
  checkTogether,
  DEFAULTS,
  HYPERPARAMETERS,
  type Hyperparameters,
  isShare,
} from "./hyperparameters.ts";

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

/** The settings of `scheduleFree`, each with a default. */
export interface ScheduleFreeOptions {
  /** How near the average gradients are taken, above 0 to 1: at 1 in the average itself. @defaultValue 0.9 */
  readonly beta?: number;
  /** Steps over which the learning rate rises to its value, a whole number; they weigh less in the average. @defaultValue 0 */
  readonly warmupSteps?: number;
  /** Power of the step's number in its weight, a multiple of 0.5: above 0, late steps weigh more. @defaultValue 0 */
  readonly r?: number;
  /** Power of the largest learning rate so far in a step's weight, a multiple of 0.5. @defaultValue 2 */
  readonly weightLrPower?: number;
}

/** The settings of `scheduleFree`, all of them given. */
export type ScheduleFree = Required<ScheduleFreeOptions>;

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
   * more plane of memory, `state[name].x0`, and whole steps.
   *
   * @defaultValue 0.01
   */
  lr?: Hyperparameters["lr"] | "auto" | undefined;
}

/** Upper limit of the number of shares that a step is cut into. */
export const MAX_SHARES = 1024;

/** One of several contiguous shares of each group. */
export interface Shard {
  /** Index of the share, from 0 to below `count`. */
  readonly index: number;
  /** Number of shares, at most 1024. */
  readonly count: number;
}

/** The options of `step`. Gradients are none of them: those are written to the views in `grads`. */
export interface StepOptions {
  /** Factor of the gradients: `1 / n` for the mean over n micro-batches, or the inverse of a loss scale. @defaultValue 1 */
  gradScale?: number;
  /** Set the gradients to zero after use, in the same pass. @defaultValue false */
  zeroGrad?: boolean;
  /**
   * The one share of each group to update; by default everything. All shares of a step, in any order and on any threads
   * or machines, give the bits of one whole step. `shareRanges` tells which elements are in one.
   *
   * @defaultValue undefined
   */
  shard?: Shard | undefined;
  /**
   * The L2 norm of all gradients, `gradScale` included, from a caller who knows it; by default it is measured where a
   * step needs it. A share with `globalClipNorm`, or with a `nonFinite` other than "propagate", can't do without.
   *
   * @defaultValue undefined
   */
  gradNorm?: number | undefined;
  /**
   * Rows to update, by the name of their tensor, whose first dimension they are numbers of: all its other rows have no
   * gradient. Norms, `nonFinite` and `zeroGrad` leave the gradients of those alone too. Tensors that aren't named are updated
   * as ever.
   *
   * @defaultValue undefined
   */
  rows?: RowsByName | undefined;
}

/**
 * Numbers of rows, in any order, each counted once: an array or typed array, or the byte offset and number of uint32
 * elements in the optimizer's memory.
 */
export type RowIndices =
  | ArrayLike<number>
  | {
      /** Byte offset of the first index, a multiple of 4. */
      readonly ptr: number;
      /** How many indices stand there. */
      readonly count: number;
    };

/** Rows of tensors, by the tensors' names. */
export type RowsByName = Readonly<Record<string, RowIndices>>;

type ScaleOptions = Pick<StepOptions, "gradScale" | "zeroGrad">;

/** The options of a raw update. */
export interface CoreOptions extends Partial<CoreHyperparameters>, ScaleOptions {
  /**
   * Updates made before, for a schedule of `lr`, for `biasCorrection`, and for turning denormals to 0, which every 64th
   * update does: without it, none.
   *
   * @defaultValue 0
   */
  step?: number;
}

const EMA_DECAY = /* @__PURE__ */ numberIn(isShare, 0, "from 0 to 1");

// Engines round other powers differently, and bits must not differ.
const HALVES = "from 0 to 100, a multiple of 0.5";
const isHalf = (value: unknown) =>
  typeof value === "number" && value >= 0 && value <= 100 && Number.isInteger(value * 2);

const SCHEDULE_FREE: Rules<ScheduleFree> = /* @__PURE__ */ (() => ({
  beta: numberIn((beta) => beta > 0 && beta <= 1, 0.9, "above 0, to 1"),
  warmupSteps: {
    default: 0,
    wanted: "a whole number from 0 up",
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  },
  r: { default: 0, wanted: `a number ${HALVES}`, accepts: isHalf },
  weightLrPower: { default: 2, wanted: `a number ${HALVES}`, accepts: isHalf },
}))();

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
  scheduleFree: {
    default: undefined,
    wanted: "true, or an object of beta, warmupSteps, r and weightLrPower",
    accepts: (value) => typeof value === "boolean" || isPlain(value),
  },
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

const SCALE_OPTIONS: Rules<Required<ScaleOptions>> = /* @__PURE__ */ (() => ({
  gradScale: numberIn(Number.isFinite, 1, "that is finite"),
  zeroGrad: FLAG,
}))();

const STEP_OPTIONS: Rules<Required<StepOptions>> = /* @__PURE__ */ (() => ({
  ...SCALE_OPTIONS,
  shard: {
    default: undefined,
    wanted: `{ index, count }, whole numbers, index from 0 to below count, count at most ${MAX_SHARES}`,
    accepts: isShard,
  },
  gradNorm: {
    default: undefined,
    wanted: "a number from 0 up; Infinity or NaN where a gradient isn't finite",
    accepts: (value) => typeof value === "number" && !(value < 0),
  },
  rows: {
    default: undefined,
    wanted: "numbers of rows by the name of their tensor, as { embedding: [3, 17] }",
    accepts: (value) => isPlain(value),
  },
}))();

function isShard(value: unknown): value is Shard {
  if (!isPlain(value)) return false;
  const { index, count, ...others } = value as Shard;
  const isIndex = Number.isInteger(index) && index >= 0 && index < count;
  return isIndex && Number.isInteger(count) && count <= MAX_SHARES && Object.keys(others).length === 0;
}

const CORE_OPTIONS: Rules<Required<CoreOptions>> = /* @__PURE__ */ (() => {
  const { initialSquareAvg, clipNorm, sparse, rowwiseState, ...hyperparameters } = HYPERPARAMETERS;
  return {
    ...hyperparameters,
    ...SCALE_OPTIONS,
    step: {
      default: 0,
      wanted: "a whole number of updates made before",
      accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
    },
  };
})();

const OPTIMIZER_DEFAULTS = /* @__PURE__ */ defaultsOf(OPTIMIZER_OPTIONS);
const STEP_DEFAULTS = /* @__PURE__ */ defaultsOf(STEP_OPTIONS);
const CORE_DEFAULTS = /* @__PURE__ */ defaultsOf(CORE_OPTIONS);

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
  const inherited = resolve(HYPERPARAMETERS, DEFAULTS, own, real, Object.keys(OPTIMIZER_OPTIONS));
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
      "Options ema and scheduleFree both average the parameters, and scheduleFree's average is made to be evaluated with: leave out ema.",
    );
  }
  if (allocate !== undefined && memory === undefined) {
    throw new OptionError("Option allocate gives places in options.memory: set memory too.");
  }
  if (threads > 1 && memory !== undefined && !isShared(memory)) {
    throw new OptionError(
      `Option threads: got ${threads}, but options.memory isn't shared between threads. Make it with { shared: true }, or leave threads out.`,
    );
  }
  // A copy, which a later assignment to the caller's object doesn't change.
  if (ema) optimizerOptions.ema = { decay: ema.decay };
  return {
    inherited,
    optimizerOptions: { ...optimizerOptions, scheduleFree: scheduleFreeOf(scheduleFree, real), lr },
  };
}

function scheduleFreeOf(given: OptimizerOptions["scheduleFree"], real: Real): ScheduleFree | undefined {
  if (!given) return undefined;
  return resolve(SCHEDULE_FREE, defaultsOf(SCHEDULE_FREE), given === true ? {} : given, real);
}

const GRADIENTS =
  "Gradients don't go here: write them to their views first, as optimizer.grads.w.set(values).";

/** Checks the options of `step`. */
export function resolveStepOptions(options: StepOptions | undefined, real: Real): Required<StepOptions> {
  if (options === undefined) return STEP_DEFAULTS;
  if (!isPlain(options)) throw notPlain("step", options, "{ gradScale: 0.5 }", GRADIENTS);
  return resolve(STEP_OPTIONS, STEP_DEFAULTS, options, real, NO_OTHERS, unknownStepOption);
}

const NO_OTHERS: readonly string[] = [];

/** The error for hyperparameters and gradients that are given to `step`, and for misspelt options. */
function unknownStepOption(name: string, known: readonly string[], value: unknown): OptionError {
  if (Object.hasOwn(HYPERPARAMETERS, name)) {
    const place = name === "lr" ? "optimizer.lr" : `optimizer.groups[0].${name}`;
    return new OptionError(`step takes no ${name}: assign ${place} before it, which holds from then on.`);
  }
  const rest = typeof value === "object" ? ` ${GRADIENTS}` : "";
  return new OptionError(unknownOption(name, known).message + rest);
}

/** Checks a share that a caller asks about. */
export function checkShard(shard: Shard, real: Real): Shard {
  check(STEP_OPTIONS, "shard", shard, real);
  return shard;
}

/** Checks rows that a caller names, as far as they are names. */
export function checkRows(rows: RowsByName, real: Real): RowsByName {
  check(STEP_OPTIONS, "rows", rows, real);
  return rows;
}

/** Checks the options of a raw update, which come in one object. */
export function resolveCoreOptions(options: CoreOptions, real: Real): Required<CoreOptions> {
  checkIsPlain(options);
  const resolved = resolve(CORE_OPTIONS, CORE_DEFAULTS, options, real);
  checkTogether(resolved, real);
  return resolved;
}

/** Refuses to clip by two norms at once. */
export function checkClipping(globalClipNorm: number, groups: readonly Hyperparameters[]): void {
  const both = groups.find(({ clipNorm }) => clipNorm !== Infinity);
  if (both && globalClipNorm !== Infinity) {
    throw new OptionError(
      `Options clipNorm ${both.clipNorm} and globalClipNorm ${globalClipNorm} both scale the gradient: leave out one.`,
    );
  }
}
