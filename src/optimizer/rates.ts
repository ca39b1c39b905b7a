/** The one rate of all groups, as it is read from and assigned to an optimizer. */

import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import type { GroupHyperparameters, Schedule } from "../options/hyperparameters.ts";
import type { Parts } from "./parts.ts";

type Groups = readonly [GroupHyperparameters, ...GroupHyperparameters[]];

/** The rate of the next step: a learned one, or that of the groups, which must have the same. */
export function rateOf(parts: Parts, groups: Groups): number {
  if (parts.learned) return parts.learned.rate;
  refuseOwnRates(parts);
  return groups[0].lr;
}

/** Sets the rate of all groups. */
export function assignRate(parts: Parts, groups: Groups, rate: number | Schedule): void {
  if (parts.learned) {
    throw new OptionError(
      'lr: got a rate, but it is "auto", and learned: assign groups[i].lr for a factor of it, or make the optimizer with a number.',
    );
  }
  refuseOwnRates(parts);
  for (const group of groups) group.lr = rate;
}

function refuseOwnRates(parts: Parts): void {
  const rates = parts.groups.map(({ hyperparameters }) => hyperparameters.lr);
  if (rates.some((rate) => rate !== rates[0])) {
    throw new OptionError(
      `lr: the groups have rates of their own (${rates.map((rate) => show(rate)).join(", ")}): read and assign groups[i].lr.`,
    );
  }
}
