/** The options of the optimizer for tf.js, and their form in the config of a saved model. */
import type { serialization } from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import { checkIsPlain, defaultsOf, type Rules, resolve } from "../base/rules.ts";
import { OptionError } from "../errors.ts";
import { dialects } from "../options/dialects.ts";
import { CLIP, checkTogether, HYPERPARAMETERS, type Hyperparameters } from "../options/hyperparameters.ts";
import { checkClipping, NON_FINITE, type OptimizerOptions } from "../options/options.ts";

/**
 * The options of `rmsprop`. The defaults are tf.js's own: `lr` 0.001, which is that of `optimizer: "rmsprop"`
 * (`tf.train.rmsprop` has none), `alpha` 0.9, and for `eps` the backend's epsilon. `dialects.tfjs` lists the others.
 */
export interface RMSPropOptions extends Partial<ResolvedOptions> {}

/** The options with every default filled in. */
export interface ResolvedOptions
  extends Hyperparameters,
    Pick<OptimizerOptions, "globalClipNorm" | "nonFinite"> {}

/** The rules of `RMSprop`'s options, of those that this optimizer has. */
const GENERAL_RULES: Rules<ResolvedOptions> = /* @__PURE__ */ (() => ({
  ...HYPERPARAMETERS,
  globalClipNorm: CLIP,
  nonFinite: NON_FINITE,
}))();

/** The defaults of tf.js's own optimizer. */
export const DEFAULTS: ResolvedOptions = /* @__PURE__ */ (() => ({
  ...defaultsOf(GENERAL_RULES),
  ...dialects.tfjs,
  lr: 1e-3,
}))();

/** The rules with the defaults of this optimizer, which error messages name. */
const RULES: Rules<ResolvedOptions> = /* @__PURE__ */ (() => {
  const withDefaults = Object.entries(GENERAL_RULES).map(([name, rule]) => [
    name,
    { ...rule, default: DEFAULTS[name as keyof ResolvedOptions] },
  ]);
  return Object.fromEntries(withDefaults) as Rules<ResolvedOptions>;
})();

/** Checks options, and takes from `base` those that are left out. */
export function resolveRMSPropOptions(given: RMSPropOptions, base = DEFAULTS): ResolvedOptions {
  checkIsPlain(given);
  const { lr, scheduleFree } = given as { lr?: unknown; scheduleFree?: unknown };
  if (lr === "auto" || scheduleFree) {
    throw new OptionError(
      `Option ${scheduleFree ? "scheduleFree" : 'lr: "auto"'} is one of rmsprop-wasm itself, not of the drop-in for tf.js: leave it out, or step RMSprop of "rmsprop-wasm" with gradients of tf.grads.`,
    );
  }
  const resolved = resolve(RULES, base, given, FLOAT32);
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
    ...TFJS_NAMES.map(([theirs, ours]) => [theirs, options[ours]]),
    ...others.filter((name) => options[name] !== DEFAULTS[name]).map((name) => [name, options[name]]),
  ]);
}

/** Gives the options that a config means. Passes over unknown entries: tf.js adds some when it loads a model. */
export function optionsOf(config: serialization.ConfigDict): RMSPropOptions {
  const named = { ...config };
  for (const [theirs, ours] of TFJS_NAMES) named[ours] = config[theirs] ?? null;
  return Object.fromEntries(
    Object.keys(RULES)
      .filter((name) => named[name] != null)
      .map((name) => [name, named[name]]),
  );
}
