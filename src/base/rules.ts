/** Checks of options: a rule for each name, and the errors that say what was given, what is wanted and what is known. */
// Version 4.0, since 4.1 adds a limit of distances that nothing here sets: 76 bytes in each entry.
import leven from "leven";
import { OptionError } from "../errors.ts";
import { isPlain } from "./plain.ts";
import type { Real } from "./real.ts";
import { show } from "./show.ts";

/** The rule of one option: its default, its accepted values, and the words for them in an error. */
export interface Rule<Value> {
  default: Value;
  wanted: string;
  accepts(value: unknown, real: Real): boolean;
}

export type Rules<Values> = { readonly [Name in keyof Values]: Rule<Values[Name]> };

/** A number in a range, which holds for the element that kernels get: in float32, 1e-50 would be an epsilon of 0 there. */
export function numberIn(
  isInside: (rounded: number) => boolean,
  initial: number,
  wanted: string,
): Rule<number> {
  return {
    default: initial,
    wanted: `a number ${wanted}`,
    accepts: (value, { round }) => typeof value === "number" && isInside(round(value)),
  };
}

export const FLAG: Rule<boolean> = {
  default: false,
  wanted: "true or false",
  accepts: (value) => typeof value === "boolean",
};

export function oneOf<Value>(initial: Value, ...values: Value[]): Rule<Value> {
  return {
    default: initial,
    wanted: values.map(show).join(" or "),
    // A default beside the values, such as undefined, can be assigned back.
    accepts: (value) => value === initial || values.includes(value as Value),
  };
}

/** Names of other libraries and of the field for the options here, in lower case and without underscores. */
const ALIASES: Readonly<Record<string, string>> = {
  learningrate: "lr",
  stepsize: "lr",
  rate: "lr",
  eta: "lr",
  rho: "alpha",
  beta: "alpha",
  beta2: "alpha",
  gamma: "alpha",
  decay: "alpha",
  decayrate: "alpha",
  epsilon: "eps",
  mu: "momentum",
  l2: "weightDecay",
  wd: "weightDecay",
  schedule: "lr",
  scheduler: "lr",
  maxnorm: "globalClipNorm",
  maxgradnorm: "globalClipNorm",
  clipgradnorm: "globalClipNorm",
};

/**
 * Checks `given` and completes it from `base`. A key that holds `undefined` counts as left out; a key without a rule is
 * an error, which `unknown` makes, unless `others` lists it.
 */
export function resolve<Values>(
  rules: Rules<Values>,
  base: Values,
  given: object,
  real: Real,
  others: readonly string[] = [],
  unknown: (name: string, known: readonly string[], value: unknown) => Error = unknownOption,
): Values {
  const resolved = { ...base };
  for (const name of Object.keys(given)) {
    const value = given[name as keyof typeof given] as unknown;
    if (Object.hasOwn(rules, name)) {
      if (value === undefined) continue;
      check(rules, name as keyof Values, value, real);
      resolved[name as keyof Values] = value as Values[keyof Values];
    } else if (!others.includes(name)) {
      throw unknown(name, [...Object.keys(rules), ...others], value);
    }
  }
  return resolved;
}

/** Refuses options that aren't a plain object, such as a learning rate by itself. */
export function checkIsPlain(given: unknown): void {
  if (!isPlain(given)) throw notPlain("options", given, "{ lr: 1e-3 }");
}

export function notPlain(what: string, given: unknown, example: string, rest = ""): OptionError {
  const plain = typeof given === "object" && given !== null ? ", a plain one as { ...object } makes" : "";
  return new OptionError(
    `${what}: got ${show(given)}, expected an object such as ${example}${plain}. ${rest}`.trim(),
  );
}

/**
 * Refuses an argument behind those that a function takes: ignored, it would be an option that does nothing, or a typing error.
 * An index and a list are no mistake: `optimizers.map(save)` gives them.
 */
export function refuseSurplus(
  what: string,
  [given, list]: readonly unknown[],
  instead = "leave it out",
): void {
  if (given !== undefined && !Array.isArray(list)) {
    throw new OptionError(`${what}: got ${show(given)}, one argument too many: ${instead}.`);
  }
}

export function check<Values>(rules: Rules<Values>, name: keyof Values, value: unknown, real: Real): void {
  const rule = rules[name];
  if (!rule.accepts(value, real)) {
    const byDefault = rule.default === undefined ? "" : ` (default ${rule.default})`;
    throw new OptionError(`Option ${String(name)}: got ${show(value)}, expected ${rule.wanted}${byDefault}.`);
  }
}

/** @param hint Says which option was meant: the nearest known one, by default. */
export function unknownOption(
  name: string,
  known: readonly string[],
  _value?: unknown,
  hint = didYouMean(nearest(name, known), show),
): OptionError {
  return new OptionError(`Unknown option ${show(name)}${hint} Known are ${known.join(", ")}.`);
}

/** Asks for the option that was meant, if there is one. Either way, it ends the sentence before it. */
export function didYouMean(
  name: string | undefined,
  shown: (name: string) => string,
  otherwise = ".",
): string {
  return name === undefined ? otherwise : `: did you mean ${shown(name)}?`;
}

/**
 * The known name that was meant, most probably: of a synonym, else the one that differs in the fewest letters, if that is
 * fewer than half of the longer name's: farther ones mislead.
 */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const bare = (name: string) => name.toLowerCase().replaceAll("_", "");
  const word = bare(given);
  const alias = ALIASES[word]!;
  if (known.includes(alias)) return alias;
  const distanceTo = (other: string) => leven(word, bare(other));
  const best = known.reduce((best, other) => (distanceTo(other) < distanceTo(best) ? other : best));
  return distanceTo(best) < Math.max(word.length, best.length) / 2 ? best : undefined;
}

export function defaultsOf<Values>(rules: Rules<Values>): Values {
  const entries = Object.entries<Rule<unknown>>(rules).map(([name, rule]) => [name, rule.default]);
  return Object.fromEntries(entries) as Values;
}
