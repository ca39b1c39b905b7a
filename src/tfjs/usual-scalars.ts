/** The numbers of an update, kept as long as they stay the same: of a small update, to make them takes a tenth of the time. */
import { FLOAT32 } from "../base/real.ts";
import type { Scalars } from "../kernel/contract.ts";
import { type Drawn, flushesAt, scalarsOf } from "../options/scalars.ts";
import type { ResolvedOptions } from "./options.ts";

export class UsualScalars {
  #last: { options: ResolvedOptions; gradScale: number; scalars: Scalars } | undefined;

  /**
   * @param steps The updates of the variable before.
   * @param followsCount Whether the numbers follow the count of steps, so that none of them stays.
   */
  of(
    options: ResolvedOptions,
    lr: number,
    steps: number,
    gradScale: number,
    followsCount: boolean,
    drawn: Drawn | undefined,
  ): Scalars {
    const isUsual = !followsCount && !flushesAt(steps);
    const last = this.#last;
    if (isUsual && last?.options === options && last.gradScale === gradScale) return last.scalars;
    const plan = { step: steps, gradScale, zeroGrad: false, emaDecay: undefined };
    const scalars = scalarsOf(options, lr, plan, FLOAT32, drawn);
    if (isUsual) this.#last = { options, gradScale, scalars };
    return scalars;
  }
}
