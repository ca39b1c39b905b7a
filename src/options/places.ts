/** The places of options, for errors about one that was given elsewhere. All rules import this, so it imports none. */
import { didYouMean, nearest, unknownOption } from "../base/rules.ts";
import { show } from "../base/show.ts";
import type { OptionError } from "../errors.ts";

const CONSTRUCTOR = "the constructor's options";
const STEP = "step()";
const SETTING = "scheduleFree";

/** The options that groups lack, but for `beta` and `r`: whoever gives those elsewhere means alpha and lr. */
const PLACES: Readonly<Record<string, string>> = {
  globalClipNorm: CONSTRUCTOR,
  nonFinite: CONSTRUCTOR,
  ema: CONSTRUCTOR,
  scheduleFree: CONSTRUCTOR,
  memory: CONSTRUCTOR,
  allocate: CONSTRUCTOR,
  backend: CONSTRUCTOR,
  threads: CONSTRUCTOR,
  gradScale: STEP,
  zeroGrad: STEP,
  shard: STEP,
  gradNorm: STEP,
  rows: STEP,
  warmupSteps: SETTING,
  weightLrPower: SETTING,
};

/** The error for an option that isn't among the known ones. */
export function misplacedOption(name: string, known: readonly string[]): OptionError {
  return unknownOption(name, known, undefined, meantBy(name, known, show));
}

/**
 * Says which option was meant: one of the known, as `shown` gives it, or one that belongs elsewhere.
 *
 * @param otherwise The words if none was.
 */
export function meantBy(
  name: string,
  known: readonly string[],
  shown: (name: string) => string,
  otherwise?: string,
): string {
  const meant = nearest(name, [...known, ...Object.keys(PLACES)]);
  const place = meant && !known.includes(meant) && PLACES[meant];
  return place ? `: ${meant} goes into ${place}.` : didYouMean(meant, shown, otherwise);
}

/** The member by which a hyperparameter is assigned. */
export function memberOf(hyperparameter: string): string {
  return `optimizer.${hyperparameter === "lr" ? "" : "groups[0]."}${hyperparameter}`;
}
