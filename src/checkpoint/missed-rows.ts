/** Rows that are behind in a file: the steps that they have missed were those of the saved run, and no others. */

import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import type { GroupState, TensorState } from "../optimizer/state-dict.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import { changeOfMissed } from "../options/missed.ts";

/** The settings of a run, as far as rows that have missed steps depend on them. */
export interface RunSettings {
  readonly groups: readonly GroupState[];
  readonly isScheduled: boolean;
  readonly ema?: { readonly decay: number } | undefined;
}

/**
 * Refuses to go on by other settings than those of the saved run while rows are behind: they would make up for steps that
 * nobody has taken.
 *
 * @param behind Tells whether rows of a parameter are behind.
 * @throws OptionError with the name of the option.
 */
export function refuseOtherSteps(
  saved: RunSettings,
  next: RunSettings,
  behind: (name: string) => boolean,
): void {
  next.groups.forEach((group, i) => {
    const before = { ...group, ...saved.groups[i] };
    const isOtherEma =
      saved.ema && next.ema && before.sparse !== "lazy" && saved.ema.decay !== next.ema.decay;
    const option = isOtherEma
      ? "ema"
      : changeOfMissed(hyperparametersOf(before, saved), hyperparametersOf(group, next));
    const name = option && group.params.find(behind);
    if (name === undefined) return;
    throw new OptionError(
      `Option ${option}: rows of ${show(name)} have missed steps of the saved run, by another ${option}: call catchUp() before saving, or load as saved and change it after catchUp().`,
    );
  });
}

/** Whether rows of a tensor have missed steps. */
export function isBehind(rowSteps: TensorState["rowSteps"], steps: number): boolean {
  return rowSteps?.some((count) => count < steps) ?? false;
}

/** A schedule stands for itself: the rate of the last step says nothing about those before. Without `sparse`, rows are exact. */
function hyperparametersOf(group: GroupState, { isScheduled }: RunSettings): Hyperparameters {
  return {
    ...group,
    lr: isScheduled ? undefined : group.lr,
    sparse: group.sparse ?? "exact",
  } as Hyperparameters;
}
