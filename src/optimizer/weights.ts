/**
 * The weights with which `scheduleFree` averages a group's points. Their sum and the largest rate go on from step to step.
 * Optimizers on the same tensors share them, as they share the count of steps: in its memory where that is shared.
 *
 * Sums stand in a ring, by the number of steps that they cover. All shares of a step read the same place, write the same
 * numbers to the next one, and nobody else writes to either before three steps later.
 */
import { type ScheduleFree, type WeightSums, warmedUp, weigh } from "../options/schedule-free.ts";
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
    return warmedUp(lr, step, this.#settings);
  }

  /** Takes a step's rate in, and gives its point's share in the average. A step that fails may be taken again. */
  shareAt(step: number, lr: number): number {
    const sums = weigh(this.after(step), step, lr, this.#settings);
    this.set(step + 1, sums);
    return sums.zShare;
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
