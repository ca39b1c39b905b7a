/** The options of an optimizer, of a step and of a raw update: their types, defaults and rules. */
import { LARGEST_FINITE } from "../base/float32.ts";
import { check, defaultsOf, FLAG, numberFrom, oneOf, type Rules, resolve } from "../base/rules.ts";
import { show } from "../base/show.ts";
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
} from "./hyperparameters.ts";

/** What becomes of a step whose gradients hold a NaN or an infinity. */
export type NonFinitePolicy = "propagate" | "skip" | "throw";

/** What concerns the optimizer as a whole. */
export interface OptimizerOptions {
  /** Scale all gradients down to this L2 norm over all groups, above 0. @defaultValue Infinity */
  globalClipNorm: number;
  /**
   * With a NaN or an infinity in any gradient: take the step all the same, skip it, or throw `NonFiniteError`. Nothing
   * at all changes by a step that was skipped or threw.
   *
   * @defaultValue "propagate"
   */
  nonFinite: NonFinitePolicy;
  /** Keep a running average of the parameters. @defaultValue undefined */
  ema:
    | {
        /** How much of the average each step keeps, 0 to 1. */
        readonly decay: number;
      }
    | undefined;
  /** The memory to work in: another module's, say. Without it the optimizer makes one of its own. */
  memory: WebAssembly.Memory | undefined;
  /**
   * Places what the optimizer needs in `memory`: gets a number of bytes and gives a byte offset, as `malloc` does.
   * Without it, that goes to freshly grown pages, which is safe where nothing else takes grown pages for its own:
   * Rust modules yes, AssemblyScript's garbage-collected ones once they have allocated anything, an Emscripten heap no.
   */
  allocate: Allocate | undefined;
  /** Insist on one backend. Without it: WebAssembly, or JavaScript where that can't be had. */
  backend: Backend | undefined;
  /**
   * Threads that share each update, the calling one included: 1 to 64. Then the memory is a shared one. Workers start
   * meanwhile, and `ready` tells when they have; where there are none to be had, it stays at one thread.
   *
   * @defaultValue 1
   */
  threads: number;
}

/** What the constructor takes beside the parameters. */
export interface Options extends Partial<Hyperparameters>, Partial<OptimizerOptions> {}

/** The most shares that a step can be cut into. */
export const MAX_SHARES = 1024;

/** One of several contiguous shares of each group. */
export interface Shard {
  /** Which one, from 0 to below `count`. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/** What `step` takes. */
export interface StepOptions {
  /** Multiplies the gradients: `1 / n` for the mean over n micro-batches, or what undoes a loss scale. @defaultValue 1 */
  gradScale?: number;
  /** Clear the gradients behind the update, in the same pass. @defaultValue false */
  zeroGrad?: boolean;
  /**
   * Update one share of each group only. All shares of a step, in any order, by whichever threads or machines, give the
   * bits of one whole step. `shareRanges` tells which elements are in one.
   */
  shard?: Shard | undefined;
  /**
   * The L2 norm of all gradients, `gradScale` included, where the caller knows it: instead of measuring. Needed by a
   * share with `globalClipNorm`, or with a `nonFinite` other than "propagate".
   */
  gradNorm?: number | undefined;
}

type ScaleOptions = Pick<StepOptions, "gradScale" | "zeroGrad">;

/** What a raw update takes. */
export interface CoreOptions extends Partial<CoreHyperparameters>, ScaleOptions {
  /** Updates made before, for a schedule of `lr` and for `biasCorrection`. @defaultValue 0 */
  step?: number;
}

const EMA_DECAY = /* @__PURE__ */ numberFrom(0, 1, 0, "from 0 to 1");

/** @internal */
export const OPTIMIZER_OPTIONS: Rules<OptimizerOptions> = /* @__PURE__ */ (() => ({
  globalClipNorm: CLIP,
  nonFinite: oneOf<NonFinitePolicy>("propagate", "propagate", "skip", "throw"),
  ema: {
    default: undefined,
    wanted: "{ decay: a number from 0 to 1 }",
    accepts: (value) =>
      typeof value === "object" &&
      value !== null &&
      Object.keys(value).join() === "decay" &&
      EMA_DECAY.accepts((value as { decay: unknown }).decay),
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
  gradScale: numberFrom(-LARGEST_FINITE, LARGEST_FINITE, 1, "that is finite"),
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
}))();

function isShard(value: unknown): value is Shard {
  const { index, count, ...others } = (value ?? {}) as Shard;
  const isIndex = Number.isInteger(index) && index >= 0 && index < count;
  return isIndex && Number.isInteger(count) && count <= MAX_SHARES && Object.keys(others).length === 0;
}

const CORE_OPTIONS: Rules<Required<CoreOptions>> = /* @__PURE__ */ (() => {
  const { initialSquareAvg, clipNorm, ...hyperparameters } = HYPERPARAMETERS;
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

/** Refuses options that are no object: a learning rate by itself, say. */
export function checkIsObject(options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new OptionError(`options: got ${show(options)}, expected an object such as { lr: 1e-3 }.`);
  }
}

/** Checks the constructor's options: what groups inherit, and what concerns the optimizer as a whole. */
export function resolveOptions(options: Options): {
  inherited: Hyperparameters;
  optimizerOptions: OptimizerOptions;
} {
  checkIsObject(options);
  const inherited = resolve(HYPERPARAMETERS, DEFAULTS, options, Object.keys(OPTIMIZER_OPTIONS));
  const optimizerOptions = resolve(
    OPTIMIZER_OPTIONS,
    OPTIMIZER_DEFAULTS,
    options,
    Object.keys(HYPERPARAMETERS),
  );
  const { memory, allocate, threads } = optimizerOptions;
  if (allocate !== undefined && memory === undefined) {
    throw new OptionError("Option allocate gives places in options.memory: set memory too.");
  }
  if (threads > 1 && memory !== undefined && !isShared(memory)) {
    throw new OptionError(
      `Option threads: got ${threads}, but options.memory isn't shared between threads. Make it with { shared: true }, or leave threads out.`,
    );
  }
  return { inherited, optimizerOptions };
}

/** Checks what `step` was given. */
export function resolveStepOptions(options: StepOptions | undefined): Required<StepOptions> {
  return options === undefined ? STEP_DEFAULTS : resolve(STEP_OPTIONS, STEP_DEFAULTS, options);
}

/** Checks a share that is asked about. */
export function checkShard(shard: Shard): Shard {
  check(STEP_OPTIONS, "shard", shard);
  return shard;
}

/** Checks what a raw update was given, all in one object. */
export function resolveCoreOptions(options: CoreOptions): Required<CoreOptions> {
  const resolved = resolve(CORE_OPTIONS, CORE_DEFAULTS, options);
  checkTogether(resolved);
  return resolved;
}

/** Refuses to clip by two norms. */
export function checkClipping(globalClipNorm: number, groups: readonly Hyperparameters[]): void {
  const both = groups.find(({ clipNorm }) => clipNorm !== Infinity);
  if (both && globalClipNorm !== Infinity) {
    throw new OptionError(
      `Options clipNorm ${both.clipNorm} and globalClipNorm ${globalClipNorm} both scale the gradient: leave out one.`,
    );
  }
}
