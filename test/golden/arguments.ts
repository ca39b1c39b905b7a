/**
 * How a case is written with our dialects: what the framework was given, in our names, over the dialect of its name.
 * Whatever it was not given must then come from the dialect, which is what proves the dialect.
 */
import { dialects, type Options, type ScheduleFreeOptions } from "rmsprop-wasm";
import { type Argument, type Case, type Framework, scheduleOf } from "./vectors.ts";

export const DIALECT_OF = {
  pytorch: "pytorch",
  schedulefree: "pytorch",
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

/** Arguments of the averages in place of a schedule, in our names. */
const AVERAGING: Readonly<Record<string, keyof ScheduleFreeOptions>> = {
  momentum: "beta",
  b1: "beta",
  r: "r",
  weight_lr_power: "weightLrPower",
};

/** The options for a case with averages in place of a schedule: schedulefree's and Optax' defaults are ours. */
function averagingOf({ calls }: Case): Options {
  const { weight_decay_at_y: decay, ...given } = { ...calls.ScheduleFreeWrapper, ...calls.schedule_free };
  const settings = Object.entries(given).map(([name, value]) => [AVERAGING[name]!, value]);
  const warmup = calls.LinearLR?.total_iters ?? calls.linear_schedule?.transition_steps;
  if (warmup) settings.push(["warmupSteps", Number(warmup) + 1]);
  return {
    scheduleFree: settings.length > 0 ? Object.fromEntries(settings) : true,
    ...(decay ? { weightDecay: Number(decay), decoupledWeightDecay: true } : {}),
  };
}

const AVERAGING_CALLS = ["ScheduleFreeWrapper", "schedule_free", "LinearLR", "linear_schedule"];

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
export function optionsOfCase(one: Case): Options {
  const { framework, calls } = one;
  const options: Options = { ...dialects[DIALECT_OF[framework]] };
  for (const [call, given] of Object.entries(calls)) {
    if (!AVERAGING_CALLS.includes(call)) Object.assign(options, optionsOfCall(call, given));
  }
  if (calls.ScheduleFreeWrapper || calls.schedule_free) Object.assign(options, averagingOf(one));
  if (calls.ResourceApplyCenteredRMSProp) options.centered = true;
  // In a chain of Optax' that is spelt out, the order of the calls says what is applied to what.
  const decaysLast =
    Object.keys(calls).indexOf("add_decayed_weights") > Object.keys(calls).indexOf("scale_by_rms");
  if (calls.scale_by_rms && decaysLast) options.decoupledWeightDecay = true;
  if (calls.trace) options.lrInMomentum = false;
  return options;
}
