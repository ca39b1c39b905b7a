/** Norms of the gradients: the steps that need them, their measurement, and the factors by which they clip. */

import { NonFiniteError, OptionError } from "../errors.ts";
import type { Kernel } from "../kernel/contract.ts";
import type { OptimizerOptions } from "../options/options.ts";
import { clipFactor } from "../options/scalars.ts";
import { type RowLists, sumOfRows } from "./rows.ts";
import type { Tensor } from "./tensor.ts";

/** The sum of the squares of each tensor's gradient in memory, neither scaled nor clipped. */
export type SumsOfSquares = ReadonlyMap<Tensor, number>;

/** The parts of a group that norms depend on. */
export interface NormedGroup {
  readonly tensors: readonly Tensor[];
  /** Whether each tensor's gradient is clipped to a norm of its own. */
  readonly clipsByNorm: boolean;
}

/** The gradients of a step. */
export interface Gradients {
  readonly gradScale: number;
  /** The rows that have a gradient, of tensors in which not all have. */
  readonly lists: RowLists | undefined;
  /** The norm of all gradients, if the caller knows it. */
  readonly known: number | undefined;
}

export interface Measured {
  /** The L2 norm of all gradients, scaled but not clipped. Undefined if no step needs it and the caller gave none. */
  readonly norm: number | undefined;
  /** Empty if nothing was measured. */
  readonly sums: SumsOfSquares;
}

const UNMEASURED: Measured = { norm: undefined, sums: new Map() };

export class Norms {
  readonly #options: OptimizerOptions;
  /** Undefined after a hyperparameter has changed. */
  #areNeeded: boolean | undefined;

  constructor(options: OptimizerOptions) {
    this.#options = options;
  }

  /** Whether a step depends on the norm of all gradients. */
  get #needsTotal(): boolean {
    const { globalClipNorm, nonFinite } = this.#options;
    return globalClipNorm !== Infinity || nonFinite !== "propagate";
  }

  /** To be called when a hyperparameter changes. */
  reset(): void {
    this.#areNeeded = undefined;
  }

  /**
   * Measures the gradients if a step needs it. Tensors are added up in the order in which they were named.
   */
  measure(groups: readonly NormedGroup[], kernel: Kernel, { gradScale, lists, known }: Gradients): Measured {
    this.#areNeeded ??= this.#needsTotal || groups.some((group) => group.clipsByNorm);
    const isKnown = known !== undefined && !groups.some((group) => group.clipsByNorm);
    if (!this.#areNeeded || isKnown) {
      return known === undefined ? UNMEASURED : { norm: known, sums: UNMEASURED.sums };
    }
    const sums = new Map<Tensor, number>();
    let total = 0;
    for (const { tensors } of groups) {
      for (const tensor of tensors) {
        const list = lists?.get(tensor);
        const sum = list
          ? sumOfRows(kernel, tensor, list)
          : kernel.sumOfSquares(tensor.segment.grad, tensor.count);
        sums.set(tensor, sum);
        total += sum;
      }
    }
    return { norm: known ?? Math.sqrt(total) * Math.abs(gradScale), sums };
  }

  /** Refuses a share of a step that depends on gradients of other shares which it can't know. */
  refuseUnknown(groups: readonly NormedGroup[], zeroGrad: boolean, known: number | undefined): void {
    if (zeroGrad && groups.some((group) => group.clipsByNorm)) {
      throw new OptionError(
        "A share of a step with clipNorm measures whole gradients, so no other share may have cleared its part: leave out zeroGrad, and call zeroGrad() after the last share.",
      );
    }
    if (known === undefined && this.#needsTotal) {
      throw new OptionError(
        "A share of a step with globalClipNorm or nonFinite needs the norm of everybody's gradients: hand in gradNorm.",
      );
    }
  }
}

/** Names the tensors whose gradients aren't finite, as far as they were measured. */
export function nonFiniteError(sums: SumsOfSquares): NonFiniteError {
  const tensors = [...sums].filter(([, sum]) => !Number.isFinite(sum));
  return NonFiniteError.of(tensors.map(([{ name }]) => name));
}

/** Gives `gradScale` times the factor that clips a tensor's gradient to a norm of its own. */
export function clippedScale(gradScale: number, sumOfSquares: number | undefined, clipNorm: number): number {
  if (sumOfSquares === undefined) return gradScale;
  return gradScale * clipFactor(Math.sqrt(sumOfSquares) * Math.abs(gradScale), clipNorm);
}
