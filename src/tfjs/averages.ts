/** The averages of `scheduleFree`: the weights of the points so far, and the averages in the variables' place. */
import type { Variable } from "@tensorflow/tfjs-core";
import { SwappedError } from "../errors.ts";
import type { WeightSums } from "../options/schedule-free.ts";
import { registered } from "./pairing.ts";
import type { Slot, Updater } from "./updater.ts";

/** The name of the class in saved models whose state has averages. */
export const SCHEDULE_FREE_NAME = "ScheduleFreeRMSProp";

export class Averages {
  sums: WeightSums = { weightSum: 0, lrMax: 0 };
  /** The values that averages took the place of, each of a variable of its own: no `tidy` disposes of those. */
  #kept: Map<Variable, Variable> | undefined;

  /** @throws SwappedError as long as averages stand in the variables' place. */
  refuse(): void {
    if (this.#kept) {
      throw new SwappedError(
        "The averages stand in for the variables since eval(): call train() of this optimizer first.",
      );
    }
  }

  standIn(slots: Iterable<Slot>, updater: Updater, share: number): void {
    if (this.#kept) return;
    this.#kept = new Map();
    for (const { variable, state } of slots) {
      this.#kept.set(variable, variable.variable(false));
      updater.average(variable, state.z!, share);
    }
  }

  standBack(): void {
    for (const [variable, kept] of this.#kept ?? []) {
      if (registered(variable.name) === variable) variable.assign(kept);
    }
    this.dispose();
  }

  /** Leaves the variables as they are. */
  dispose(): void {
    for (const kept of this.#kept?.values() ?? []) kept.dispose();
    this.#kept = undefined;
  }
}
