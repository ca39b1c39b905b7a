/** The entry over float64 beside the frameworks' own runs in float64, over all of their cases that test/golden holds. */
import type { Options } from "rmsprop-wasm";
import { RMSprop } from "rmsprop-wasm/f64";
import { describe, expect, it } from "vitest";
import { optionsOfCase } from "./arguments.ts";
import { distance, finiteElements, scaleOf } from "./distance.ts";
import { runExactly } from "./exact.ts";
import { gradients } from "./inputs.ts";
import { type Training, train } from "./train.ts";
import { type Case, goldenAt, manifest, optionsInFloat64, type ResultName, scheduleOf } from "./vectors.ts";

/** Roundings of float64 are smaller than those of float32 by this. */
const FINER = 2 ** -29;

/** The case for our optimizer, with the numbers that the framework rounds to float32 in float64 runs too. */
function trainingOf(one: Case): Omit<Training, "backend"> {
  const { framework, inputs } = one;
  const { lr, alpha, eps, momentum, globalClipNorm } = optionsInFloat64(one);
  const rate = typeof lr === "number" ? lr : scheduleOf(lr);
  const options: Options = { ...optionsOfCase(one), lr: rate, alpha, eps, momentum };
  if (globalClipNorm === null || !["pytorch", "schedulefree", "mlx"].includes(framework))
    return { options, inputs };
  // These two add 1e-6 to a norm before they divide by it, which is far more than a rounding here.
  const gradientsAt = (step: number) => {
    const all = Float64Array.from(gradients(inputs, step));
    const scale = Math.min(1, globalClipNorm / (Math.hypot(...all) + 1e-6));
    return all.map((value) => value * scale);
  };
  return { options: { ...options, globalClipNorm: Infinity }, inputs, gradientsAt };
}

/**
 * How far results may be from the framework's, by the root mean square: times the distance of the framework's own float32
 * run from its float64 one, 2^29 times finer. Both sides round a double as often as that run rounded a float32. Two errors
 * that are as large and know nothing of each other make √2 of one. Of 398 results 390 are at 1 or below.
 *
 * timm multiplies parameters by 1 − lr·decay, whose own rounding pulls all of them the same way at each step: as far as
 * that one number happens to be from its double, which is more in three cases than it was in float32.
 *
 * Averages in place of a schedule: both frameworks make x out of y and z at each step and y out of x again, with factors
 * whose own rounding pulls all elements the same way, by other amounts in double than in float32.
 */
function limitOf(name: ResultName, { framework, options }: Case): number {
  if (options.scheduleFree) return 4.5;
  const shrinks = framework === "timm" && options.decoupledWeightDecay;
  return name === "parameters" && shrinks ? 1.85 : Math.SQRT2;
}

describe.each(Object.keys(manifest.frameworks))("%s", (framework) => {
  // Optax' linear schedule divides in float32 at any precision.
  const cases = manifest.cases.filter((one) => one.framework === framework && !one.calls.linear_schedule);

  it.each(cases.map((one) => [one.id, one] as const))("%s is as near as two runs in double are", (_, one) => {
    const training = trainingOf(one);
    const ours = train({ RMSprop }, { ...training, backend: "wasm" });
    expect(train({ RMSprop }, { ...training, backend: "js" }).bits.equals(ours.bits)).toBe(true);

    const squareAvg = goldenAt(one.results.squareAvg).double;
    // Optax corrects a centered variance otherwise, on purpose (golden.test.ts): there the formula, in double, stands for it.
    const isOtherMathematics = one.options.centered && one.options.biasCorrection;
    const formula = isOtherMathematics ? runExactly(optionsInFloat64(one), one.inputs) : undefined;
    for (const name of Object.keys(one.results) as ResultName[]) {
      const golden = goldenAt(one.results[name]!);
      const { ordinary } = finiteElements(golden, one.inputs);
      const far = (values: ArrayLike<number>, judge: ArrayLike<number>) =>
        distance(values, judge, ordinary, scaleOf(name, { squareAvg }));
      const limit = limitOf(name, one) * FINER * far(golden.single, golden.double).rms;
      expect(far(ours.results[name], formula?.[name] ?? golden.double).rms).toBeLessThanOrEqual(limit);
    }
  });
});
