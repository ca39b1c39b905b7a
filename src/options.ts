import leven from "leven";
import { OptionError } from "./errors.ts";
import { type Backend, CENTERED, MOMENTUM, type Scalars, SHAPED } from "./kernel.ts";
import { show } from "./show.ts";

/** The hyperparameters of one parameter group. The defaults are PyTorch's. */
export interface Hyperparameters {
  /** Learning rate, at least 0. @defaultValue 0.01 */
  lr: number;
  /** Decay of the running averages per step, 0 to 1. @defaultValue 0.99 */
  alpha: number;
  /** Added to the root of the running average, above 0: a zero gradient would be 0/0 without it. @defaultValue 1e-8 */
  eps: number;
  /** L2 penalty added to the gradient, at least 0: `grad + weightDecay · param`. @defaultValue 0 */
  weightDecay: number;
  /** Decay of the momentum buffer per step, 0 to 1. 0 keeps no buffer. @defaultValue 0 */
  momentum: number;
  /** Divide by the deviation of the gradient instead of its root mean square (Graves 2013). @defaultValue false */
  centered: boolean;
  /** Climb instead of descend. @defaultValue false */
  maximize: boolean;
}

/** What the constructor takes beside the parameters. */
export interface Options extends Partial<Hyperparameters> {
  /** Insist on one backend. Without it: WebAssembly, or JavaScript where that can't be had. */
  backend?: Backend;
}

interface Rule<Value> {
  default: Value;
  wanted: string;
  accepts(value: unknown): boolean;
}

function numberFrom(low: number, high: number, initial: number, wanted: string): Rule<number> {
  return {
    default: initial,
    wanted: `a number ${wanted}`,
    // The bounds hold for the float32 that the kernels get: 1e-50 is no epsilon there.
    accepts: (value) => typeof value === "number" && Math.fround(value) >= low && Math.fround(value) <= high,
  };
}

const FLAG: Rule<boolean> = {
  default: false,
  wanted: "true or false",
  accepts: (value) => typeof value === "boolean",
};

const SMALLEST = 2 ** -149;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

const RULES: { readonly [Name in keyof Hyperparameters]: Rule<Hyperparameters[Name]> } = {
  lr: numberFrom(0, LARGEST, 0.01, "from 0 up, finite"),
  alpha: numberFrom(0, 1, 0.99, "from 0 to 1"),
  eps: numberFrom(
    SMALLEST,
    LARGEST,
    1e-8,
    "above 0, also as a float32: with 0, a zero gradient would give 0/0",
  ),
  weightDecay: numberFrom(0, LARGEST, 0, "from 0 up, finite"),
  momentum: numberFrom(0, 1, 0, "from 0 to 1"),
  centered: FLAG,
  maximize: FLAG,
};

const HYPERPARAMETERS = Object.keys(RULES) as (keyof Hyperparameters)[];

const DEFAULTS = Object.fromEntries(
  HYPERPARAMETERS.map((name) => [name, RULES[name].default]),
) as unknown as Hyperparameters;

const BACKENDS: readonly unknown[] = ["wasm", "js"] satisfies Backend[];

/** What other libraries call it, in small letters alone. */
const ALIASES: Readonly<Record<string, string>> = {
  learningrate: "lr",
  rho: "alpha",
  decay: "alpha",
  epsilon: "eps",
};

function isHyperparameter(name: PropertyKey): name is keyof Hyperparameters {
  return Object.hasOwn(RULES, name);
}

function unknownOption(name: PropertyKey, others: readonly string[] = []): OptionError {
  const known = [...HYPERPARAMETERS, ...others];
  const given = String(name);
  const distance = (other: string) => leven(given, other);
  const nearest =
    ALIASES[given.toLowerCase().replaceAll("_", "")] ??
    known.reduce((best, other) => (distance(other) < distance(best) ? other : best));
  return new OptionError(
    `Unknown option ${show(given)}: did you mean "${nearest}"? Known are ${known.join(", ")}.`,
  );
}

function checkValue<Name extends keyof Hyperparameters>(name: Name, value: unknown): void {
  const rule = RULES[name];
  if (!rule.accepts(value)) {
    throw new OptionError(
      `Option ${name}: got ${show(value)}, expected ${rule.wanted} (default ${rule.default}).`,
    );
  }
}

/**
 * Fills in what `given` leaves out from `base`. A key that holds `undefined` counts as left out; one that is neither
 * a hyperparameter nor in `others` is an error.
 */
export function resolveHyperparameters(
  given: Partial<Hyperparameters>,
  base = DEFAULTS,
  others: readonly string[] = [],
): Hyperparameters {
  const resolved: Record<string, unknown> & Hyperparameters = { ...base };
  for (const name of Object.keys(given)) {
    if (isHyperparameter(name)) {
      const value = given[name];
      if (value === undefined) continue;
      checkValue(name, value);
      resolved[name as string] = value;
    } else if (!others.includes(name)) {
      throw unknownOption(name, others);
    }
  }
  return resolved;
}

/** Checks the constructor's options; gives the hyperparameters that groups inherit, and the rest. */
export function resolveOptions(options: Options): {
  hyperparameters: Hyperparameters;
  backend: Backend | undefined;
} {
  if (typeof options !== "object" || options === null) {
    throw new OptionError(`options: got ${show(options)}, expected an object such as { lr: 1e-3 }.`);
  }
  const { backend } = options;
  if (backend !== undefined && !BACKENDS.includes(backend)) {
    throw new OptionError(`Option backend: got ${show(backend)}, expected "wasm" or "js", or leave it out.`);
  }
  return { hyperparameters: resolveHyperparameters(options, DEFAULTS, ["backend"]), backend };
}

/**
 * The hyperparameters as a caller sees and sets them: an assignment is checked, then handed to `change` before it
 * holds, so that what `change` throws leaves the old value.
 */
export function guardHyperparameters(
  values: Hyperparameters,
  change: (next: Hyperparameters) => void,
): Hyperparameters {
  const refuse = (_: object, name: PropertyKey): never => {
    throw new OptionError(`Option ${String(name)} can be assigned, not deleted or redefined.`);
  };
  return new Proxy<Hyperparameters>(values, {
    set(_, name, value) {
      if (!isHyperparameter(name)) throw unknownOption(name);
      checkValue(name, value);
      const next = { ...values, [name]: value };
      change(next);
      Object.assign(values, next);
      return true;
    },
    deleteProperty: refuse,
    defineProperty: refuse,
  });
}

/** Reduces hyperparameters to what a kernel multiplies with. */
export function scalarsOf(hyperparameters: Hyperparameters): Scalars {
  const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = hyperparameters;
  const hasMomentum = momentum > 0;
  return {
    variant:
      (hasMomentum ? MOMENTUM : 0) | (centered ? CENTERED : 0) | (maximize || weightDecay > 0 ? SHAPED : 0),
    alpha: Math.fround(alpha),
    oneMinusAlpha: Math.fround(1 - alpha),
    eps: Math.fround(eps),
    updateScale: hasMomentum ? 1 : Math.fround(lr),
    momentum: Math.fround(momentum),
    bufferScale: Math.fround(lr),
    gradScale: maximize ? -1 : 1,
    weightDecay: Math.fround(weightDecay),
  };
}
