/**
 * How a case is written with our dialects: what the framework was given, in our names, over the dialect of its name.
 * Whatever it was not given must then come from the dialect, which is what proves the dialect.
 */
import { dialects, type Options } from "rmsprop-wasm";
import { type Argument, type Case, type Framework, scheduleOf } from "./vectors.ts";

export const DIALECT_OF = {
  pytorch: "pytorch",
  "keras-jax": "keras",
  "keras-torch": "keras",
  optax: "optax",
  tensorflow: "tensorflow1",
  timm: "timm",
  mlx: "mlx",
} as const satisfies Record<Framework, keyof typeof dialects>;

/** Arguments that stand for one of our options, by their own name or, where that means several things, their call's. */
const OPTION_OF: Readonly<Record<string, keyof Options>> = {
  lr: "lr",
  learning_rate: "lr",
  alpha: "alpha",
  rho: "alpha",
  decay: "alpha",
  ema_beta: "alpha",
  "trace.decay": "momentum",
  eps: "eps",
  epsilon: "eps",
  eps_in_sqrt: "epsInsideSqrt",
  weight_decay: "weightDecay",
  decoupled_decay: "decoupledWeightDecay",
  momentum: "momentum",
  lr_in_momentum: "lrInMomentum",
  nesterov: "nesterov",
  centered: "centered",
  bias_correction: "biasCorrection",
  initial_scale: "initialSquareAvg",
  ms: "initialSquareAvg",
  maximize: "maximize",
  clipvalue: "clipValue",
  clip_value: "clipValue",
  max_delta: "clipValue",
  clipnorm: "clipNorm",
  global_clipnorm: "globalClipNorm",
  max_norm: "globalClipNorm",
};

/** Changes how a framework computes, not what. */
const WITHOUT_MEANING_HERE = new Set(["foreach"]);

/** The arguments of one call in our names. */
export function optionsOfCall(call: string, given: Readonly<Record<string, Argument>>): Options {
  const options: Record<string, unknown> = {};
  for (const [argument, value] of Object.entries(given)) {
    const name = OPTION_OF[`${call}.${argument}`] ?? OPTION_OF[argument];
    if (value === null) continue; // Python's None: off, as it is in every dialect
    if (name !== undefined) {
      options[name] = Array.isArray(value) ? scheduleOf(value) : value;
    } else if (argument === "use_ema") {
      if (value) options.ema = { decay: given.ema_momentum ?? 0.99 };
    } else if (value && argument !== "ema_momentum" && !WITHOUT_MEANING_HERE.has(argument)) {
      throw new Error(`${call} was given ${argument}, which has no counterpart here.`);
    }
  }
  return options;
}

/** The case as someone would write it with our options. */
export function optionsOfCase({ framework, calls }: Case): Options {
  const options: Options = { ...dialects[DIALECT_OF[framework]] };
  for (const [call, given] of Object.entries(calls)) Object.assign(options, optionsOfCall(call, given));
  if (calls.ResourceApplyCenteredRMSProp) options.centered = true;
  // In a chain of Optax' that is spelt out, the order of the calls says what is applied to what.
  const [first] = Object.keys(calls);
  if (calls.add_decayed_weights && first !== "add_decayed_weights") options.decoupledWeightDecay = true;
  if (calls.trace) options.lrInMomentum = false;
  return options;
}
