/** The averages of the parameters in the place of the parameters, to evaluate with, and the way back. */

import type { FloatArray } from "../base/real.ts";
import { OptionError, SwappedError } from "../errors.ts";
import { exchange } from "../memory/view.ts";
import type { ResolvedOptions } from "../options/options.ts";
import { average, averageAt } from "../options/schedule-free.ts";
import type { Progress } from "./progress.ts";
import type { Tensor } from "./tensor.ts";

export class StandIn {
  readonly #tensors: readonly Tensor[];
  readonly #options: ResolvedOptions;
  readonly #progress: Progress;
  /**
   * The parameters that `eval` took the place of. They can't be computed back from the averages to the bit. A plane for them
   * was rejected: it would stand there all the time.
   */
  #kept: readonly FloatArray[] | undefined;

  constructor(tensors: readonly Tensor[], options: ResolvedOptions, progress: Progress) {
    this.#tensors = tensors;
    this.#options = options;
    this.#progress = progress;
  }

  swapEma(): boolean {
    if (this.#options.ema === undefined) {
      const isFree = this.#options.scheduleFree !== undefined;
      throw new OptionError(
        `There are no averages to swap: ${isFree ? "with scheduleFree, call eval() and train()" : "set the option ema, as { decay: 0.999 }"}.`,
      );
    }
    const progress = this.#progress;
    for (const tensor of this.#tensors) exchange(tensor.view("param"), tensor.view("ema"));
    progress.isSwapped = !progress.isSwapped;
    progress.noteChange();
    return progress.isSwapped;
  }

  eval(): void {
    const beta = this.#beta("eval");
    const progress = this.#progress;
    if (progress.isSwapped) return;
    this.#kept = this.#tensors.map((tensor) => tensor.view("param").slice());
    // Before the first step z is still to begin where the parameters are.
    if (progress.steps > 0) {
      for (const tensor of this.#tensors) average(tensor.view("param"), tensor.view("z"), averageAt(beta));
    }
    progress.isSwapped = true;
    progress.noteChange();
  }

  train(): void {
    this.#beta("train");
    const progress = this.#progress;
    if (!progress.isSwapped) return;
    if (!this.#kept) {
      throw new SwappedError(
        "Another optimizer on these tensors has called eval(): call train() of that one.",
      );
    }
    this.#kept.forEach((values, i) => {
      this.#tensors[i]!.view("param").set(values);
    });
    this.#kept = undefined;
    progress.isSwapped = false;
    progress.noteChange();
  }

  #beta(method: string): number {
    const { scheduleFree } = this.#options;
    if (scheduleFree === undefined) {
      throw new OptionError(
        `${method}() is for the averages of scheduleFree: make the optimizer with { scheduleFree: true }, or call swapEma() for those of ema.`,
      );
    }
    return scheduleFree.beta;
  }
}
