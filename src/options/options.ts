/** The options: their types, defaults and rules. */
import { LARGEST_FINITE, SMALLEST_DENORMAL } from "../base/float32.ts";
import {
  check,
  defaultsOf,
  FLAG,
  numberFrom,
  oneOf,
  type Rules,
  resolve,
  unknownOption,
} from "../base/rules.ts";
import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import type { Backend } from "../kernel/contract.ts";
import { type Allocate, isShared } from "../memory/arena.ts";
import { MAX_SHARES } from "../optimizer/progress.ts";
import type { Shard } from "../optimizer/shard.ts";
import { MAX_THREADS } from "../threads/protocol.ts";

/** Learning rate by the number of steps taken before: 0 at the first step. */
export type Schedule = (step: number) => number;

/** The hyperparameters of one parameter group. The defaults are PyTorch's. */
export interface Hyperparameters {
  /** Learning rate, at least 0, or a function of the steps taken. @defaultValue 0.01 */
  lr: number | Schedule;
  /** Decay of the running averages per step, 0 to 1. @defaultValue 0.99 */
  alpha: number;
  /** Added to the root of the running average, above 0: a zero gradient would be 0/0 without it. @defaultValue 1e-8 */
  eps: number;
  /** Take the root of the average plus `eps`, instead of adding `eps` to the root. @defaultValue false */
  epsInsideSqrt: boolean;
  /** L2 penalty, at least 0, added to the gradient: `grad + weightDecay * param`. @defaultValue 0 */
  weightDecay: number;
  /** Shrink the parameter by `1 - lr * weightDecay` instead, so that the averages don't see it. @defaultValue false */
  decoupledWeightDecay: boolean;
  /** Decay of the momentum buffer per step, 0 to 1. 0 keeps no buffer. @defaultValue 0 */
  momentum: number;
  /** Multiply by `lr` on the way into the momentum buffer, not on the way out. @defaultValue false */
  lrInMomentum: boolean;
  /** Look ahead: step by the update plus `momentum` times the new buffer. Needs `momentum`. @defaultValue false */
  nesterov: boolean;
  /** Divide by the deviation of the gradient instead of its root mean square (Graves 2013). @defaultValue false */
  centered: boolean;
  /** Divide the averages by `1 - alpha ** t`, as Adam does. @defaultValue false */
  biasCorrection: boolean;
  /** Where the average of the squared gradient starts, at least 0. Can't be changed later. @defaultValue 0 */
  initialSquareAvg: number;
  /** Clip each element of the gradient to ± this, above 0. @defaultValue Infinity */
  clipValue: number;
  /** Scale each tensor's gradient down to this L2 norm, above 0. @defaultValue Infinity */
  clipNorm: number;
  /** Climb instead of descend. @defaultValue false */
  maximize: boolean;
}

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

/** The hyperparameters that a raw update takes: the others need an optimizer, which owns state and knows tensors. */
export type CoreHyperparameters = Omit<Hyperparameters, "initialSquareAvg" | "clipNorm">;

type ScaleOptions = Pick<StepOptions, "gradScale" | "zeroGrad">;

/** What a raw update takes. */
export interface CoreOptions extends Partial<CoreHyperparameters>, ScaleOptions {
  /**
   * Updates made before, for a schedule of `lr`, for `biasCorrection`, and for turning denormals to 0, which every 64th
   * update does: without it, none.
   *
   * @defaultValue 0
   */
  step?: number;
}

const NOT_NEGATIVE = "from 0 up, finite";
const LEARNING_RATE = /* @__PURE__ */ numberFrom(0, LARGEST_FINITE, 0.01, NOT_NEGATIVE);
const CLIP = /* @__PURE__ */ numberFrom(
  SMALLEST_DENORMAL,
  Infinity,
  Infinity,
  "above 0; Infinity clips nothing",
);

/** @internal */
export const HYPERPARAMETERS: Rules<Hyperparameters> = /* @__PURE__ */ (() => ({
  lr: {
    default: LEARNING_RATE.default,
    wanted: `${LEARNING_RATE.wanted}, or a function of the step that gives one`,
    accepts: (value) => typeof value === "function" || LEARNING_RATE.accepts(value),
  },
  alpha: numberFrom(0, 1, 0.99, "from 0 to 1"),
  eps: numberFrom(SMALLEST_DENORMAL, LARGEST_FINITE, 1e-8, "above 0, also as a float32"),
  epsInsideSqrt: FLAG,
  weightDecay: numberFrom(0, LARGEST_FINITE, 0, NOT_NEGATIVE),
  decoupledWeightDecay: FLAG,
  momentum: numberFrom(0, 1, 0, "from 0 to 1"),
  lrInMomentum: FLAG,
  nesterov: FLAG,
  centered: FLAG,
  biasCorrection: FLAG,
  initialSquareAvg: numberFrom(0, LARGEST_FINITE, 0, NOT_NEGATIVE),
  clipValue: CLIP,
  clipNorm: CLIP,
  maximize: FLAG,
}))();

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

const DEFAULTS = /* @__PURE__ */ defaultsOf(HYPERPARAMETERS);
const OPTIMIZER_DEFAULTS = /* @__PURE__ */ defaultsOf(OPTIMIZER_OPTIONS);
const STEP_DEFAULTS = /* @__PURE__ */ defaultsOf(STEP_OPTIONS);
const CORE_DEFAULTS = /* @__PURE__ */ defaultsOf(CORE_OPTIONS);

/** Checks one group's hyperparameters, the rest taken from `base`. */
export function resolveHyperparameters(given: Partial<Hyperparameters>, base = DEFAULTS): Hyperparameters {
  const resolved = resolve(HYPERPARAMETERS, base, given);
  checkTogether(resolved);
  return resolved;
}

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

/** Values that are right by themselves, and wrong together. */
export function checkTogether({ nesterov, momentum, biasCorrection, alpha }: CoreHyperparameters): void {
  if (nesterov && momentum === 0) {
    throw new OptionError(
      "Option nesterov looks ahead along the momentum: set momentum above 0, or leave it out.",
    );
  }
  if (biasCorrection && Math.fround(1 - alpha) === 0) {
    throw new OptionError(`Option biasCorrection divides by 1 - alpha ** t, which is 0 with alpha ${alpha}.`);
  }
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

/** The hyperparameters as a caller sees and sets them: an assignment is checked, then left to `change`. */
export function guardHyperparameters(
  values: Hyperparameters,
  change: (next: Hyperparameters) => void,
): Hyperparameters {
  const refuse = (_: object, name: PropertyKey): never => {
    throw new OptionError(`Option ${String(name)} can be assigned, not deleted or redefined.`);
  };
  return new Proxy<Hyperparameters>(values, {
    set(_, name, value) {
      if (!Object.hasOwn(HYPERPARAMETERS, name)) throw unknownOption(name, Object.keys(HYPERPARAMETERS));
      check(HYPERPARAMETERS, name as keyof Hyperparameters, value);
      if (name === "initialSquareAvg") {
        throw new OptionError(
          `Option initialSquareAvg: got ${show(value)}, but the averages have started: set it when making the optimizer, or fill state[name].squareAvg.`,
        );
      }
      const next = { ...values, [name]: value };
      checkTogether(next);
      change(next);
      return true;
    },
    deleteProperty: refuse,
    defineProperty: refuse,
  });
}

/** Calls a schedule, and checks what it gives. */
export function learningRateAt(lr: number | Schedule, step: number): number {
  if (typeof lr === "number") return lr;
  const value = lr(step);
  if (!LEARNING_RATE.accepts(value)) {
    throw new OptionError(
      `Option lr: the schedule gave ${show(value)} at step ${step}, expected ${LEARNING_RATE.wanted}.`,
    );
  }
  return value;
}
