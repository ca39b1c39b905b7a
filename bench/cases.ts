import type { Contestant } from "./measure.ts";
import type { Way } from "./way.ts";
import { sizeTitle, type VariantName, type Work } from "./work.ts";

export interface Case {
  name: string;
  title: string;
  /** The works of a group are timed side by side, round by round, and compared. */
  groups: Work[][];
  /** Names of ways. Without them, every way that supports the work. */
  only?: string[];
}

const ordinary = { variant: "plain", tensors: 1, state: "ordinary" } as const;
const rewritten = { ...ordinary, state: "running", rewritesGradients: true } as const;
const million = 2 ** 20;
const manySteps = { ...ordinary, size: 2 ** 10, stepsPerReset: 100_000 };
const oneThread = [
  ...["step", "step8", "kernel", "core", "scalar", "streams", "copy"],
  ...["mine", "plain", "simple", "js", "tfjs-wasm", "tfjs-cpu", "torch", "torch-compiled", "optax-jit"],
];
const onTfjs = ["wasm", "cpu"].flatMap((backend) => [`tfjs-${backend}`, `tfjs-${backend}-drop-in`]);

/** The ways that the README's table shows, in its order; the reader's own is there by `--mine` alone. */
export const README_WAYS = [
  ...["step", "mine", "scalar", "plain", "simple"],
  ...["tfjs-wasm", "tfjs-cpu", "torch", "streams"],
];

/** The cases of a quick run: those that the pages' tables are made of. */
export const QUICK_CASES = ["small", "sizes", "options"];

/** The variants that peers have too. */
const sharedVariants: VariantName[] = ["momentum", "centered", "both", "keras", "weightDecay", "maximize"];

/** Options whose price is listed, by the names that they have there. */
const pricedVariants: Partial<Record<VariantName, string>> = {
  keras: "as Keras, TensorFlow, tf.js, Optax and timm",
  graves2013: "as Graves 2013",
  dqn: "as DQN",
  momentum: "momentum",
  nesterov: "momentum, nesterov",
  centered: "centered",
  both: "momentum, centered",
  weightDecay: "weightDecay",
  decoupledWeightDecay: "weightDecay, decoupled",
  maximize: "maximize",
  biasCorrection: "biasCorrection",
  gradScale: "gradScale",
  clipValue: "clipValue",
  clipNorm: "clipNorm",
  globalClipNorm: "globalClipNorm",
  nonFinite: "nonFinite: skip",
  ema: "ema",
  scheduleFree: "scheduleFree",
  auto: 'lr: "auto"',
  autoCorrected: 'lr: "auto", biasCorrection',
  zeroGrad: "zeroGrad",
  scheduled: "lr a function",
  allOn: "weightDecay, globalClipNorm, ema, zeroGrad",
};

/** Works of every option at one size, beside the plain step. */
function pricesAt(count: number): Work[] {
  const one = { ...rewritten, size: count };
  const thousand = { ...rewritten, tensors: 1024, size: count / 1024 };
  const variants = Object.entries(pricedVariants) as [VariantName, string][];
  return [
    { ...one, title: "plain" },
    ...variants.map(([variant, title]) => ({ ...one, title, variant })),
    { ...thousand, title: "plain, 1,024 tensors" },
    { ...thousand, title: "clipNorm, 1,024 tensors", variant: "clipNorm" },
  ];
}

export function casesFor(quick: boolean): Case[] {
  const sizes = quick
    ? [2 ** 10, 2 ** 18, million]
    : [2 ** 10, 2 ** 12, 2 ** 14, 2 ** 16, 2 ** 18, million, 4 * million, 16 * million];
  const variantSize = quick ? 2 ** 16 : million;
  return [
    // First, as in a program that trains one small model. Where many optimizers were made and collected before, V8 has seen
    // several kinds of each object, and a step of so few elements takes two to three times as long.
    {
      name: "small",
      title: "A model of 16 elements in two tensors",
      groups: [[{ ...ordinary, title: "16 elements", tensors: 2, size: 8 }]],
      only: quick ? README_WAYS : oneThread,
    },
    {
      name: "sizes",
      title: "One tensor, by size",
      groups: sizes.map((size) => [{ ...ordinary, title: sizeTitle(size), size }]),
      only: quick ? README_WAYS : oneThread,
    },
    {
      name: "float64",
      title: "One tensor over float64, by size",
      groups: (quick
        ? [2 ** 12, 2 ** 16, million]
        : [2 ** 12, 2 ** 14, 2 ** 16, 2 ** 18, million, 4 * million]
      ).map((size) => [{ ...ordinary, title: sizeTitle(size), size, elements: "float64" }]),
      only: ["step", "step8", "divider", "plain", "simple", "js", "torch", "torch-compiled"],
    },
    {
      name: "threads",
      title: "Two threads against one, by size",
      groups: sizes.map((size) => [{ ...ordinary, title: sizeTitle(size), size }]),
      only: ["step", "pool", "streams", "streams2", "torch2"],
    },
    {
      name: "tensors",
      title: "Many small tensors against one large",
      groups: [
        [
          { ...ordinary, title: "1,000 tensors of 100", tensors: 1000, size: 100 },
          { ...ordinary, title: "one of 100,000", size: 100_000 },
        ],
      ],
      only: ["step", "plain", "tfjs-wasm", "torch"],
    },
    {
      name: "variants",
      title: `Variants, ${sizeTitle(variantSize)}`,
      groups: sharedVariants
        .filter((name) => !quick || name === "momentum" || name === "both")
        .map((variant) => [{ ...ordinary, title: variant, variant, size: variantSize }]),
      only: ["step", "step8", "kernel", "js", "copy", "tfjs-wasm", "torch"],
    },
    {
      name: "options",
      title: "What each option costs, gradients written anew before each step",
      groups: (quick ? [2 ** 16] : [2 ** 16, million]).map(pricesAt),
      only: ["step"],
    },
    {
      name: "all-on",
      title: "Coupled decay, clipping by the global norm, average of the weights and cleared gradients",
      groups: (quick
        ? [2 ** 14, 2 ** 17, million]
        : [2 ** 14, 2 ** 17, million, 4 * million, 16 * million]
      ).map((size) => [
        { ...rewritten, title: "plain", size },
        { ...rewritten, title: "all four", variant: "allOn", size },
      ]),
      only: ["step", "torch"],
    },
    {
      name: "no-tuning",
      title:
        "Averages in place of a schedule beside momentum, and a rate that finds itself beside a given one",
      // So few steps that a rate which learns from gradients that never change stays below 100.
      groups: [2 ** 16, 2 ** 18, million].map((size) =>
        (["plain", "momentum", "scheduleFree", "auto", "biasCorrection", "autoCorrected"] as const).map(
          (variant) => ({
            ...ordinary,
            title: pricedVariants[variant] ?? variant,
            variant,
            size,
            stepsPerReset: 64,
          }),
        ),
      ),
      only: ["step"],
    },
    {
      name: "scheduled",
      title: "A learning rate that is a function of the step, against a constant one",
      groups: [2 ** 10, 2 ** 16, million].map((size) => [
        { ...ordinary, title: "constant", size },
        { ...ordinary, title: "scheduled", variant: "scheduled", size },
      ]),
      only: ["step"],
    },
    {
      name: "zero-gradients",
      title: "A hundred thousand steps of zero gradients, state becoming denormal, against ordinary values",
      groups: (["plain", ...sharedVariants] as const).map((variant) => [
        { ...manySteps, variant, title: `${variant}, ordinary` },
        { ...manySteps, variant, title: `${variant}, fading`, state: "fading" },
      ]),
      only: ["step"],
    },
    {
      name: "checkpoint",
      title: "Saving and restoring with momentum, beside copies of the same bytes",
      groups: (quick ? [million] : [million, 16 * million]).map((size) => [
        { ...ordinary, title: sizeTitle(size), variant: "momentum", size },
      ]),
      only: ["save", "save-copy", "restore", "restore-copy"],
    },
    {
      name: "many-tensors",
      title: "Files of many tensors, beside JSON.parse of their headers",
      groups: [2000, 32_000].map((tensors) => [
        {
          ...ordinary,
          title: `${tensors.toLocaleString("en")} tensors of 4`,
          variant: "momentum",
          tensors,
          size: 4,
        },
      ]),
      only: ["load", "restore", "save", "header"],
    },
    {
      name: "drop-in",
      title: "applyGradients of the drop-in for tf.js, against tf.js's own",
      groups: [2 ** 10, 2 ** 14, 2 ** 18, million, 4 * million].map((size) => [
        { ...ordinary, title: sizeTitle(size), size },
      ]),
      only: onTfjs,
    },
    {
      name: "drop-in-model",
      title: "The same for a model of 60 small variables",
      groups: [[{ ...ordinary, title: "60 variables of 100", tensors: 60, size: 100 }]],
      only: onTfjs,
    },
  ];
}

export function contestantsOf({ only }: Case, group: Work[], ways: Way[]): Contestant[] {
  return group.flatMap((work) =>
    ways
      .filter((way) => (!only || only.includes(way.name)) && way.supports(work))
      .map((way) => ({ way, work })),
  );
}
