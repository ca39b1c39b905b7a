/** The values that a session is made of: plans, gradients, hyperparameters, good and bad. */
import fc from "fast-check";
import { DEFAULTS, type Hyperparameters } from "../../src/options/hyperparameters.ts";
import { content } from "./content.ts";
import { type GroupPlan, isAccepted } from "./model.ts";
import { KINDS, type Plan } from "./world.ts";

const falling = (step: number) => 0.1 / (1 + step);
/** A schedule that ends. */
const ending = (step: number) => (step < 9 ? 0.01 : NaN);

/** Values of each hyperparameter that are taken, most of them together too. */
export const GOOD: { readonly [Name in keyof Hyperparameters]: readonly Hyperparameters[Name][] } = {
  lr: [0.01, 0.5, 0, falling, ending],
  alpha: [0.99, 0.5, 0, 1],
  eps: [1e-8, 1e-3, 1],
  epsInsideSqrt: [false, true],
  weightDecay: [0, 0.01],
  decoupledWeightDecay: [false, true],
  momentum: [0, 0.9, 1],
  lrInMomentum: [false, true],
  nesterov: [false, true],
  centered: [false, true],
  biasCorrection: [false, true],
  initialSquareAvg: [0, 1],
  clipValue: [Infinity, 0.75],
  clipNorm: [Infinity, 0.5],
  maximize: [false, true],
  sparse: [undefined],
  rowwiseState: [false],
};

/** Assignments that no group takes. */
export const BAD: readonly (readonly [name: string, value: unknown])[] = [
  ["lr", -1],
  ["lr", null],
  ["alpha", 2],
  ["eps", 0],
  ["momentum", NaN],
  ["nesterov", 1],
  ["clipNorm", 0],
  ["centered", undefined],
  ["initialSquareAvg", 1],
  ["learningRate", 0.1],
];

const hyper = fc
  .record(
    Object.fromEntries(Object.entries(GOOD).map(([name, values]) => [name, fc.constantFrom(...values)])),
    { requiredKeys: [] },
  )
  .filter((given) => isAccepted({ ...DEFAULTS, ...given }));

/** Mostly small tensors, around the width of a vector and of a line; some fill a page. */
const count = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 70 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4_000, max: 20_000 }) },
);
const tensor = fc.record({ count, isAdopted: fc.boolean(), content, isFlat: fc.boolean() });
const group = fc.record({ tensors: fc.array(tensor, { minLength: 1, maxLength: 4 }), hyper });

const NAMES = ["w", "layer.weight", "steps", "ünï 🎲", "constructor", "-1"];

export const plan: fc.Arbitrary<Plan> = fc
  .record({
    kind: fc.constantFrom(...KINDS, ...KINDS.slice(0, 4), ...KINDS.slice(0, 4)),
    groups: fc.array(group, { minLength: 1, maxLength: 3 }),
    globalClipNorm: fc.constantFrom(Infinity, Infinity, 0.5),
    nonFinite: fc.constantFrom("propagate" as const, "propagate" as const, "skip" as const, "throw" as const),
    ema: fc.constantFrom(undefined, { decay: 0.9 }),
    maximum: fc.integer({ min: 3, max: 60 }),
    areViews: fc.boolean(),
    areInside: fc.boolean(),
  })
  .map(({ groups, globalClipNorm, nonFinite, ema, ...others }) => {
    const isGiven = others.kind !== "own" && others.kind !== "threads";
    const clipsOnce = (given: Partial<Hyperparameters>) =>
      globalClipNorm === Infinity ? given : { ...given, clipNorm: Infinity };
    let named = 0;
    const plans = groups.map(
      ({ tensors, hyper }): GroupPlan => ({
        hyper: clipsOnce(hyper as Partial<Hyperparameters>),
        tensors: tensors.map(({ count, isAdopted, content, isFlat }) => {
          const adopts = isGiven && isAdopted && count <= 100;
          const name = NAMES[named] ?? `w${named}`;
          named++;
          const shape = content.form === "zeros" && !adopts && !isFlat ? [1, count] : undefined;
          return { name, count, shape, isAdopted: adopts, content };
        }),
      }),
    );
    return { ...others, groups: plans, options: { globalClipNorm, nonFinite, ema } };
  });

/** Options of a step, whose shares are few so that they meet. */
export const stepOptions = fc.record(
  {
    gradScale: fc.constantFrom(1, 0.5, -1, 0),
    zeroGrad: fc.boolean(),
    shard: fc
      .record({ index: fc.nat(2), count: fc.integer({ min: 1, max: 3 }) })
      .filter(({ index, count }) => index < count),
    gradNorm: fc.constantFrom(0, 2, NaN, Infinity),
  },
  { requiredKeys: [] },
);

export const BAD_STEPS: readonly object[] = [
  { gradScale: NaN },
  { gradScale: Infinity },
  { zeroGrad: 1 },
  { shard: { index: 2, count: 2 } },
  { shard: { index: 0, count: 1025 } },
  { gradNorm: -1 },
  { lr: 0.1 },
];
