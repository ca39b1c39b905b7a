/** The options of a step and of a raw update: their types, defaults and rules. */
import { isPlain } from "../base/plain.ts";
import type { Real } from "../base/real.ts";
import {
  check,
  checkIsPlain,
  defaultsOf,
  FLAG,
  notPlain,
  numberIn,
  type Rules,
  resolve,
} from "../base/rules.ts";
import { OptionError } from "../errors.ts";
import { type CoreHyperparameters, checkTogether, HYPERPARAMETERS } from "./hyperparameters.ts";
import { memberOf, misplacedOption } from "./places.ts";

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
  const areWhole = Number.isInteger(index) && Number.isInteger(count);
  return areWhole && index >= 0 && index < count && count <= MAX_SHARES && Object.keys(others).length === 0;
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

const STEP_DEFAULTS = /* @__PURE__ */ defaultsOf(STEP_OPTIONS);
const CORE_DEFAULTS = /* @__PURE__ */ defaultsOf(CORE_OPTIONS);

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
    return new OptionError(
      `step takes no ${name}: assign ${memberOf(name)} before it, which holds from then on.`,
    );
  }
  const rest = typeof value === "object" ? ` ${GRADIENTS}` : "";
  return new OptionError(misplacedOption(name, known).message + rest);
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
