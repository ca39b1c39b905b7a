/** The options of the optimizer for tf.js, and the config that a saved model has of them. */
import type { serialization } from "@tensorflow/tfjs-core";
import { type Rules, resolve } from "../base/rules.ts";
import { dialects } from "../options/dialects.ts";
import { checkTogether, HYPERPARAMETERS, type Hyperparameters } from "../options/hyperparameters.ts";
import {
  checkClipping,
  checkIsObject,
  OPTIMIZER_OPTIONS,
  type OptimizerOptions,
  resolveOptions,
} from "../options/options.ts";

/** What `rmsprop` takes. What is left out comes from `dialects.tfjs`, but `lr`: that is 0.01. */
export interface RMSPropOptions extends Partial<ResolvedOptions> {}

/** With every default filled in. */
export interface ResolvedOptions
  extends Hyperparameters,
    Pick<OptimizerOptions, "globalClipNorm" | "nonFinite"> {}

const RULES: Rules<ResolvedOptions> = /* @__PURE__ */ (() => {
  const { globalClipNorm, nonFinite } = OPTIMIZER_OPTIONS;
  return { ...HYPERPARAMETERS, globalClipNorm, nonFinite };
})();

const DEFAULTS: ResolvedOptions = /* @__PURE__ */ (() => {
  const { inherited, optimizerOptions } = resolveOptions(dialects.tfjs);
  const { globalClipNorm, nonFinite } = optimizerOptions;
  return { ...inherited, globalClipNorm, nonFinite };
})();

/** Checks options, the rest taken from `base`. */
export function resolveRMSPropOptions(given: RMSPropOptions, base = DEFAULTS): ResolvedOptions {
  checkIsObject(given);
  const resolved = resolve(RULES, base, given);
  checkTogether(resolved);
  checkClipping(resolved.globalClipNorm, [resolved]);
  return resolved;
}

/** The entries that `tf.train.rmsprop` has too, and our names for them. */
const TFJS_NAMES = [
  ["learningRate", "lr"],
  ["decay", "alpha"],
  ["momentum", "momentum"],
  ["epsilon", "eps"],
  ["centered", "centered"],
] as const satisfies [string, keyof ResolvedOptions][];

/**
 * tf.js's own entries, and beside them, under our names, whatever else isn't left at its default: tf.js passes over
 * those. A schedule isn't kept: its rate at this moment is.
 */
export function configOf(options: ResolvedOptions & { lr: number }): serialization.ConfigDict {
  const taken = new Set<string>(TFJS_NAMES.map(([, name]) => name));
  const others = Object.keys(RULES).filter((name) => !taken.has(name)) as Exclude<
    keyof ResolvedOptions,
    "lr"
  >[];
  return Object.fromEntries([
    ...TFJS_NAMES.map(([theirs, ours]) => [theirs, options[ours]]),
    ...others.filter((name) => options[name] !== DEFAULTS[name]).map((name) => [name, options[name]]),
  ]);
}

/** The options that a config means. What else stands in it is passed over, as tf.js adds to it when it loads a model. */
export function optionsOf(config: serialization.ConfigDict): RMSPropOptions {
  const named = { ...config };
  for (const [theirs, ours] of TFJS_NAMES) named[ours] = config[theirs] ?? null;
  return Object.fromEntries(
    Object.keys(RULES)
      .filter((name) => named[name] != null)
      .map((name) => [name, named[name]]),
  );
}
