/** The options of the optimizer for tf.js, and their form in the config of a saved model. */
import type { serialization } from "@tensorflow/tfjs-core";
import { isPlain } from "../base/plain.ts";
import { FLOAT32 } from "../base/real.ts";
import { checkIsPlain, defaultsOf, notPlain, type Rule, type Rules, resolve } from "../base/rules.ts";
import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import { dialects } from "../options/dialects.ts";
import {
  CLIP,
  checkTogether,
  HYPERPARAMETERS,
  type Hyperparameters,
  LEARNING_RATE,
} from "../options/hyperparameters.ts";
import { checkClipping, NON_FINITE, type OptimizerOptions } from "../options/options.ts";
import { SCHEDULE_FREE, type ScheduleFree, scheduleFreeOf } from "../options/schedule-free.ts";

/**
 * The options of `rmsprop`. The defaults are tf.js's own: `lr` 0.001, which is that of `optimizer: "rmsprop"`
 * (`tf.train.rmsprop` has none), `alpha` 0.9, and for `eps` the backend's epsilon. `dialects.tfjs` lists the others.
 */
export interface RMSPropOptions extends Partial<GivenOptions> {}

/** The options of `RMSprop` that this optimizer has: those by rows need gradients that tf.js never gives. */
interface GivenOptions
  extends Omit<Hyperparameters, "sparse" | "rowwiseState">,
    Pick<OptimizerOptions, "globalClipNorm" | "nonFinite" | "scheduleFree"> {}

/** The options with every default filled in. */
export interface ResolvedOptions extends GivenOptions {
  scheduleFree: ScheduleFree | undefined;
}

/** The rules of those options, with the defaults of tf.js's own optimizer. */
const RULES: Rules<GivenOptions> = /* @__PURE__ */ (() => {
  const { sparse: _, rowwiseState: __, ...rules } = HYPERPARAMETERS;
  const own: Rules<GivenOptions> = {
    ...rules,
    lr: { ...rules.lr, wanted: `${LEARNING_RATE.wanted}, or a function of the step that gives one` },
    globalClipNorm: CLIP,
    nonFinite: NON_FINITE,
    scheduleFree: SCHEDULE_FREE,
  };
  const defaults: Partial<GivenOptions> = { ...dialects.tfjs, lr: 1e-3 };
  const entries = Object.entries<Rule<unknown>>(own).map(([name, rule]) => [
    name,
    { ...rule, default: defaults[name as keyof GivenOptions] ?? rule.default },
  ]);
  return Object.fromEntries(entries) as Rules<GivenOptions>;
})();

const DEFAULTS = /* @__PURE__ */ defaultsOf(RULES) as ResolvedOptions;

/** Options of `RMSprop` that this optimizer lacks, which error messages tell from misspelt ones. */
const ELSEWHERE = ["sparse", "rowwiseState", "ema"];

/** Checks options, and takes from `base` those that are left out. */
export function resolveRMSPropOptions(given: RMSPropOptions, base = DEFAULTS): ResolvedOptions {
  checkIsPlain(given);
  const { lr } = given as { lr?: unknown };
  const elsewhere =
    lr === "auto" ? 'lr: "auto"' : Object.keys(given).find((name) => ELSEWHERE.includes(name));
  if (elsewhere) {
    throw new OptionError(
      `Option ${elsewhere} is one of rmsprop-wasm itself, not of the drop-in for tf.js: leave it out, or step RMSprop of "rmsprop-wasm" with gradients of tf.grads.`,
    );
  }
  const { scheduleFree, ...others } = resolve(RULES, base, given, FLOAT32);
  const resolved = { ...others, scheduleFree: scheduleFreeOf(scheduleFree, FLOAT32) };
  checkTogether(resolved, FLOAT32);
  checkClipping(resolved.globalClipNorm, [resolved]);
  return resolved;
}

/** The config's entries in tf.js, each with the option of `rmsprop` that it means. */
const TFJS_NAMES = [
  ["learningRate", "lr"],
  ["decay", "alpha"],
  ["momentum", "momentum"],
  ["epsilon", "eps"],
  ["centered", "centered"],
] as const satisfies [string, keyof ResolvedOptions][];

/** Refuses arguments by position, as `tf.train.rmsprop` takes them, and says how the same is written here. */
export function refusePositional(given: readonly unknown[]): void {
  const [first, ...others] = given;
  if (typeof first !== "number" && others.every((other) => other === undefined)) return;
  const named = TFJS_NAMES.map(([, name], i) => {
    const value = given[i];
    return typeof value === "object" || value === undefined ? value : { [name]: value };
  });
  throw new OptionError(
    `rmsprop: got ${given.map((value) => show(value)).join(", ")}, expected one object: ${show(Object.assign({}, ...named))}.`,
  );
}

/** Refuses assignments of options but `lr`, and of tf.js's names for them, which nothing would read. */
export function refuseAssignments(prototype: object): void {
  for (const name of [...Object.keys(RULES), ...TFJS_NAMES.flat()]) {
    // Done by an optimizer before, or a member.
    if (name in prototype) continue;
    const set = () => {
      throw new OptionError(`optimizer.${name} can't be assigned: make a new one, by rmsprop(options).`);
    };
    Object.defineProperty(prototype, name, { set, configurable: true });
  }
}

/**
 * Makes tf.js's own entries, and adds every other option that isn't at its default under its name here, which tf.js passes
 * over. JSON can't hold a schedule: the config holds the rate that it gives at this moment.
 */
export function configOf(options: ResolvedOptions & { lr: number }): serialization.ConfigDict {
  const taken = new Set<string>(TFJS_NAMES.map(([, name]) => name));
  const others = Object.keys(RULES).filter((name) => !taken.has(name)) as Exclude<
    keyof ResolvedOptions,
    "lr"
  >[];
  return Object.fromEntries([
    ...TFJS_NAMES.map(([tfjsName, name]) => [tfjsName, options[name]]),
    ...others.filter((name) => options[name] !== DEFAULTS[name]).map((name) => [name, options[name]]),
  ]);
}

/** Gives the options that a config means. Passes over unknown entries: tf.js adds some when it loads a model. */
export function optionsOf(config: serialization.ConfigDict): RMSPropOptions {
  if (!isPlain(config)) {
    throw notPlain("config", config, "{ learningRate: 1e-3 }", "Call fromConfig(RMSPropOptimizer, config).");
  }
  const named = { ...config };
  for (const [tfjsName, name] of TFJS_NAMES) named[name] = config[tfjsName] ?? null;
  return Object.fromEntries(
    Object.keys(RULES)
      .filter((name) => named[name] != null)
      .map((name) => [name, named[name]]),
  );
}
