/** Norms of the gradients: the steps that need them, their measurement, and the factors by which they clip. */

import { NonFiniteError, OptionError } from "../errors.ts";
import type { Kernel } from "../kernel/contract.ts";
import type { OptimizerOptions } from "../options/options.ts";
import { clipFactor } from "../options/scalars.ts";
import { type RowLists, sumOfRows } from "./rows.ts";
import type { Tensor } from "./tensor.ts";

/** The L2 norm of each tensor's gradient in memory, neither scaled nor clipped. */
export type TensorNorms = ReadonlyMap<Tensor, number>;

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
  readonly tensorNorms: TensorNorms;
}

const UNMEASURED: Measured = { norm: undefined, tensorNorms: new Map() };

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
  measure(groups: readonly NormedGroup[], kernel: Kernel, gradients: Gradients): Measured {
    const { known } = gradients;
    this.#areNeeded ??= this.#needsTotal || groups.some((group) => group.clipsByNorm);
    const isKnown = known !== undefined && !groups.some((group) => group.clipsByNorm);
    if (!this.#areNeeded || isKnown) {
      return known === undefined ? UNMEASURED : { norm: known, tensorNorms: UNMEASURED.tensorNorms };
    }
    return measureAll(groups, kernel, gradients);
  }

  /** Refuses a share of a step that depends on gradients of other shares which it can't know. */
  refuseUnknown(groups: readonly NormedGroup[], zeroGrad: boolean, known: number | undefined): void {
    if (zeroGrad && groups.some((group) => group.clipsByNorm)) {
      throw new OptionError(
        "A share with clipNorm measures whole gradients, which no share may clear: leave out zeroGrad, and call zeroGrad() after the last share.",
      );
    }
    if (known === undefined && this.#needsTotal) {
      throw new OptionError(
        "A share with globalClipNorm or nonFinite needs the norm of all gradients: hand in gradNorm.",
      );
    }
  }
}

/** Stands apart, since its closures would cost steps that measure nothing a tenth of the time of a small update. */
function measureAll(
  groups: readonly NormedGroup[],
  kernel: Kernel,
  { gradScale, lists, known }: Gradients,
): Measured {
  const tensors = groups.flatMap((group) => group.tensors);
  const plain = new Map<Tensor, number>();
  const sumOf = (tensor: Tensor, scale: number) => {
    const list = lists?.get(tensor);
    return list
      ? sumOfRows(kernel, tensor, list, scale)
      : kernel.sumOfSquares(tensor.segment.grad, tensor.count, scale);
  };
  for (const tensor of tensors) plain.set(tensor, sumOf(tensor, 1));
  const rootOf = (some: readonly Tensor[]) =>
    kernel.real.root((scale) => {
      let sum = 0;
      for (const tensor of some) sum += scale === 1 ? plain.get(tensor)! : sumOf(tensor, scale);
      return sum;
    });
  const tensorNorms = new Map(tensors.map((tensor) => [tensor, rootOf([tensor])]));
  const norm = known ?? rootOf(tensors) * Math.abs(gradScale);
  return { norm, tensorNorms };
}

/** Names the tensors whose gradients aren't finite, as far as they were measured. */
export function nonFiniteError(tensorNorms: TensorNorms): NonFiniteError {
  const tensors = [...tensorNorms].filter(([, norm]) => !Number.isFinite(norm));
  return NonFiniteError.of(tensors.map(([{ name }]) => name));
}

/** Gives `gradScale` times the factor that clips a tensor's gradient to a norm of its own. */
export function clippedScale(gradScale: number, tensorNorm: number | undefined, clipNorm: number): number {
  if (tensorNorm === undefined) return gradScale;
  return gradScale * clipFactor(tensorNorm * Math.abs(gradScale), clipNorm);
}
