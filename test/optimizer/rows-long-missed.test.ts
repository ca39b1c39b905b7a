/** Rows that have missed more steps than the factors of each number are kept of: to the same bits, in whatever order they come. */
import type { Options } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { seeded } from "../support/kernels.ts";

/** Numbers of steps on both sides of where factors begin to be kept of one in 32, and of several such ends. */
const MISSED = [
  1, 2, 31, 32, 33, 65_535, 65_536, 65_537, 67_615, 67_616, 67_648, 67_649, 67_650, 67_651, 67_679, 67_680,
  67_681, 67_711, 67_712, 67_713, 70_000, 131_071, 131_072, 131_073,
];
const STEPS = 140_000;
const WIDTH = 3;

const OPTIONS: Options[] = [
  { momentum: 0.9 },
  { momentum: 0.999, nesterov: true, lrInMomentum: true },
  { momentum: 0.5, weightDecay: 1e-4, decoupledWeightDecay: true },
  { momentum: 0.99, ema: { decay: 0.9999 } },
  { momentum: 0.9, lr: (step) => 1 / (step + 10), weightDecay: 1e-3, decoupledWeightDecay: true },
];

/** The factors of a parameter and its momentum after so many steps without a gradient, one step after another in doubles. */
function factorsOver(
  missed: number,
  { momentum = 0, nesterov, lrInMomentum, weightDecay = 0, lr = 0.01 }: Options,
) {
  let [paramKept, paramOfMomentum] = [1, 0];
  for (let i = 1; i <= missed; i++) {
    const rate = typeof lr === "function" ? lr(STEPS - i) : (lr as number);
    const ofMomentum = -(lrInMomentum ? 1 : rate) * (nesterov ? momentum : 1) * momentum;
    paramOfMomentum = paramOfMomentum * momentum + paramKept * ofMomentum;
    paramKept = paramKept + paramKept * (-rate * weightDecay);
  }
  return { paramKept, paramOfMomentum };
}

describe.each(ALL_ENTRIES)("$entry", ({ make, real }) => {
  /** An optimizer whose rows have missed so many steps each, with any numbers in all planes. */
  const behind = (options: Options) => {
    const optimizer = make({ e: [MISSED.length, WIDTH] }, { sparse: "exact", ...options });
    const { tensors, ...dict } = optimizer.stateDict();
    const next = seeded(1);
    const { param, squareAvg, momentumBuffer, ema } = tensors.e;
    for (const plane of [param, squareAvg, momentumBuffer, ema]) {
      for (let i = 0; i < (plane?.length ?? 0); i++) plane![i] = (next() + 1) / 2 ** 32;
    }
    const rowSteps = Uint32Array.from(MISSED, (missed) => STEPS - missed);
    const e = { ...tensors.e, rowSteps };
    optimizer.loadStateDict({ ...dict, steps: STEPS, tensors: { e } });
    return optimizer;
  };
  const rows = MISSED.map((_, row) => row);

  it.each(OPTIONS)("brings rows up to date: %o", (options) => {
    const [all, oneByOne, backwards] = [behind(options), behind(options), behind(options)];
    const before = all.stateDict().tensors.e;
    all.catchUp();
    for (const row of rows) oneByOne.catchUp({ e: [row] });
    for (const row of [...rows].reverse()) backwards.catchUp({ e: [row] });
    expect(oneByOne.stateDict()).toEqual(all.stateDict());
    expect(backwards.stateDict()).toEqual(all.stateDict());

    const after = all.stateDict().tensors.e;
    MISSED.forEach((missed, row) => {
      const { paramKept, paramOfMomentum } = factorsOver(missed, options);
      for (let i = row * WIDTH; i < (row + 1) * WIDTH; i++) {
        const wanted = paramKept * before.param[i]! + paramOfMomentum * before.momentumBuffer![i]!;
        // Float64 has factors of more digits, and so isn't the same as in doubles.
        if (real.bytes === 4) expect(after.param[i], `${missed}`).toBe(Math.fround(wanted));
        else expect(Math.abs(after.param[i]! - wanted)).toBeLessThan(1e-9);
      }
    });
  });
});
