/**
 * The weights with which `scheduleFree` averages a group's points. Their sum and the largest rate go on from step to step.
 * Optimizers on the same tensors share them, as they share the count of steps: in its memory where that is shared.
 *
 * Sums stand in a ring, by the number of steps that they cover. All shares of a step read the same place, write the same
 * numbers to the next one, and nobody else writes to either before three steps later.
 */
import { power } from "../base/power.ts";
import type { ScheduleFree } from "../options/options.ts";
import { PROGRESS_BYTES } from "./progress.ts";

const RING = 4;
const NUMBERS = RING * 2;

/** The bytes that the weights of so many groups take. */
export function weightsByteLength(groups: number, settings: ScheduleFree | undefined): number {
  return settings ? groups * NUMBERS * 8 : 0;
}

/** A place in a shared memory. */
interface Shared {
  memory: WebAssembly.Memory;
  ptr: number;
}

/** Gives each group its weights, behind the progress at `shared` if that is in a shared memory. */
export function startWeights(
  groups: readonly { weights: Weights | undefined }[],
  settings: ScheduleFree | undefined,
  shared?: Shared,
): void {
  if (!settings) return;
  groups.forEach((group, i) => {
    group.weights = new Weights(settings, i, shared);
  });
}

/** A group's weights as a state dict has them, under PyTorch's names but for their case. */
export interface WeightSums {
  /** The sum of the weights of all points that were averaged so far. */
  readonly weightSum: number;
  /** The largest learning rate so far. */
  readonly lrMax: number;
}

export class Weights {
  readonly #settings: ScheduleFree;
  readonly #ring: Float64Array;

  constructor(settings: ScheduleFree, group: number, shared?: Shared) {
    this.#settings = settings;
    this.#ring = shared
      ? new Float64Array(
          shared.memory.buffer,
          shared.ptr + PROGRESS_BYTES + weightsByteLength(group, settings),
          NUMBERS,
        )
      : new Float64Array(NUMBERS);
  }

  get beta(): number {
    return this.#settings.beta;
  }

  /** The rate of a step during and after the warm-up. */
  warmedUp(lr: number, step: number): number {
    const { warmupSteps } = this.#settings;
    return step < warmupSteps ? (lr * (step + 1)) / warmupSteps : lr;
  }

  /** Takes a step's rate in, and gives its point's share in the average. A step that fails may be taken again. */
  shareAt(step: number, lr: number): number {
    const { r, weightLrPower } = this.#settings;
    const { weightSum, lrMax } = this.after(step);
    const largest = Math.max(lr, lrMax);
    const weight = halfPower(step + 1, r) * halfPower(largest, weightLrPower);
    const sum = weightSum + weight;
    this.set(step + 1, { weightSum: sum, lrMax: largest });
    // As long as all rates were 0, no point has moved.
    return sum === 0 ? 0 : weight / sum;
  }

  /** The sums after so many steps, which are as many as were taken, or one more. */
  after(steps: number): WeightSums {
    const at = (steps % RING) * 2;
    return { weightSum: this.#ring[at]!, lrMax: this.#ring[at + 1]! };
  }

  set(steps: number, { weightSum, lrMax }: WeightSums): void {
    this.#ring.set([weightSum, lrMax], (steps % RING) * 2);
  }
}

/** `base ** exponent` for whole and half exponents, by IEEE operations alone: engines round `**` differently. */
function halfPower(base: number, exponent: number): number {
  const whole = power(base, Math.floor(exponent));
  return exponent % 1 === 0 ? whole : whole * Math.sqrt(base);
}
