/** Checks of options: a rule for each name, and the errors that say what was given, what is wanted and what is known. */
import leven from "leven";
import { OptionError } from "../errors.ts";
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
    accepts: (value) => values.includes(value as Value),
  };
}

/** Names of other libraries for the options here, in lower case and without underscores. */
const ALIASES: Readonly<Record<string, string>> = {
  learningrate: "lr",
  rho: "alpha",
  decay: "alpha",
  epsilon: "eps",
};

/**
 * Checks `given` and completes it from `base`. A key that holds `undefined` counts as left out; a key without a rule is
 * an error, unless `others` lists it.
 */
export function resolve<Values>(
  rules: Rules<Values>,
  base: Values,
  given: object,
  real: Real,
  others: readonly string[] = [],
): Values {
  const resolved = { ...base };
  for (const name of Object.keys(given)) {
    const value = given[name as keyof typeof given] as unknown;
    if (Object.hasOwn(rules, name)) {
      if (value === undefined) continue;
      check(rules, name as keyof Values, value, real);
      resolved[name as keyof Values] = value as Values[keyof Values];
    } else if (!others.includes(name)) {
      throw unknownOption(name, [...Object.keys(rules), ...others]);
    }
  }
  return resolved;
}

export function check<Values>(rules: Rules<Values>, name: keyof Values, value: unknown, real: Real): void {
  const rule = rules[name];
  if (!rule.accepts(value, real)) {
    throw new OptionError(
      `Option ${String(name)}: got ${show(value)}, expected ${rule.wanted} (default ${rule.default}).`,
    );
  }
}

export function unknownOption(name: PropertyKey, known: readonly string[]): OptionError {
  const given = String(name);
  const distance = (other: string) => leven(given, other);
  const alias = ALIASES[given.toLowerCase().replaceAll("_", "")];
  const nearest =
    alias !== undefined && known.includes(alias)
      ? alias
      : known.reduce((best, other) => (distance(other) < distance(best) ? other : best));
  return new OptionError(
    `Unknown option ${show(given)}: did you mean "${nearest}"? Known are ${known.join(", ")}.`,
  );
}

export function defaultsOf<Values>(rules: Rules<Values>): Values {
  const entries = Object.entries<Rule<unknown>>(rules).map(([name, rule]) => [name, rule.default]);
  return Object.fromEntries(entries) as Values;
}
