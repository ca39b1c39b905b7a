/**
 * Ours beside the frameworks' own results, which test/golden/ holds: each case is written with the dialect of its
 * framework, run on both backends, and measured against the framework's own run in float64.
 */
import { createHash } from "node:crypto";
import { type Backend, dialects, type Options, RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { optionsOfCase } from "./arguments.ts";
import { distance, expectNoFarther, finiteElements, scaleOf } from "./distance.ts";
import { runExactly } from "./exact.ts";
import {
  ELEMENTS,
  inputBytes,
  type Kind,
  LONG_STEPS,
  parameters,
  SEED,
  SPECIAL_ELEMENTS,
  STEPS,
  TENSOR_SIZES,
} from "./inputs.ts";
import { train } from "./train.ts";
import {
  binary,
  type Case,
  type GoldenOptions,
  goldenAt,
  manifest,
  optionsInFloat64,
  type ResultName,
  requirements,
} from "./vectors.ts";

/** The case on a backend of the main entry. */
const trainOn = (backend: Backend, options: Options, { inputs }: Case) =>
  train({ RMSprop }, { backend, options, inputs });

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("the golden files", () => {
  it("belong together", () => {
    expect(binary.byteLength).toBe(manifest.binary.byteLength);
    expect(sha256(binary)).toBe(manifest.binary.sha256);
    const pinned = requirements.matchAll(/^([\w-]+)==(\S+)$/gm);
    expect(Object.fromEntries([...pinned].map(([, name, version]) => [name, version]))).toEqual(
      manifest.requirements,
    );
  });

  it("were made by the versions that are pinned", () => {
    const { frameworks, requirements } = manifest;
    const versions = Object.fromEntries(
      Object.entries(frameworks).map(([name, { version }]) => [name, version]),
    );
    expect(versions).toEqual({
      pytorch: requirements.torch,
      schedulefree: requirements.schedulefree,
      "keras-jax": requirements.keras,
      "keras-torch": requirements.keras,
      optax: requirements.optax,
      tensorflow: requirements["tensorflow-cpu"],
      timm: requirements.timm,
      mlx: requirements.mlx,
    });
  });

  it("were made from the inputs that are generated here", () => {
    const sizes = { elements: ELEMENTS, tensorSizes: [...TENSOR_SIZES], steps: STEPS, longSteps: LONG_STEPS };
    expect(manifest).toMatchObject(sizes);
    expect(manifest.inputs).toMatchObject({ seed: SEED, specialElements: SPECIAL_ELEMENTS });
    for (const kind of ["ordinary", "constant", "huge", "long"] as const) {
      expect(sha256(inputBytes(kind))).toBe(manifest.inputs.sha256[kind]);
    }
  });

  it("hold as many cases as they did", () => {
    const counts: Record<string, number> = {};
    for (const { framework } of manifest.cases) counts[framework] = (counts[framework] ?? 0) + 1;
    const keras = { "keras-jax": 25, "keras-torch": 14 };
    expect(counts).toEqual({
      pytorch: 28,
      schedulefree: 20,
      ...keras,
      optax: 58,
      tensorflow: 23,
      timm: 25,
      mlx: 9,
    });
  });
});

/** All options as they hold in an optimizer made with these, written as the manifest writes them. */
function complete(options: Options): GoldenOptions {
  const optimizer = new RMSprop({ w: [1] }, { lr: 0, ...options });
  const { groups } = optimizer;
  // Rows have golden runs of their own.
  const { clipValue, clipNorm, sparse, rowwiseState, ...others } = groups[0];
  const { lr = 0 } = options;
  const orNull = (limit = Infinity) => (limit === Infinity ? null : limit);
  const { stepsPerLr, steps } = manifest;
  return {
    ...others,
    lr:
      typeof lr === "function"
        ? Array.from({ length: steps / stepsPerLr }, (_, i) => lr(i * stepsPerLr))
        : Number(lr),
    clipValue: orNull(clipValue),
    clipNorm: orNull(clipNorm),
    globalClipNorm: orNull(options.globalClipNorm),
    ema: options.ema ?? null,
    scheduleFree: (optimizer.stateDict().options?.scheduleFree as GoldenOptions["scheduleFree"]) ?? null,
  };
}

/** Our options for a case: TensorFlow's optimizer has an alpha of another value, which v shows. */
function optionsTrained(one: Case): Options {
  const options = optionsOfCase(one);
  return one.calls.RMSPropOptimizer ? { ...options, alpha: Math.fround(options.alpha!) } : options;
}

/**
 * How far averages of ours may be from float64, by the root mean square: times the framework's. Most frameworks round α
 * and 1 − α apart, and are 1.7 to 20 times as far as ours, except with an α of ½, which needs
 * no rounding, and where PyTorch fuses operations of v too. Where coupled
 * decay brings the parameter's own distance into v, the two come nearer. TensorFlow and timm write v as we do. timm and
 * PyTorch, which schedulefree wraps, fuse the last multiplication and addition of gradAvg, which WebAssembly can't: one rounding of three less.
 */
function limitOf(name: "squareAvg" | "gradAvg", { framework, options }: Case): number {
  const fuses = ["pytorch", "schedulefree", "timm"].includes(framework);
  if (name === "gradAvg" && fuses) return 1.12;
  if (options.alpha === 0.5) return 1.17;
  if (framework === "tensorflow" || framework === "timm") return 1.01;
  return options.weightDecay > 0 && !options.decoupledWeightDecay ? 0.8 : 0.6;
}

const named = (cases: readonly Case[]) => cases.map((one) => [one.id, one] as const);

describe.each(Object.keys(manifest.frameworks))("%s", (framework) => {
  const cases = named(manifest.cases.filter((one) => one.framework === framework));
  const ratios: Record<ResultName, number[]> = {
    parameters: [],
    squareAvg: [],
    gradAvg: [],
    ema: [],
    z: [],
    evaluated: [],
  };

  it.each(cases)("%s is the dialect with what was asked for", (_, one) => {
    expect(complete(optionsOfCase(one))).toEqual(one.options);
  });

  it.each(cases)("%s is as near to float64 on both backends, which agree to the bit", (_, one) => {
    const ours = trainOn("wasm", optionsTrained(one), one);
    expect(trainOn("js", optionsTrained(one), one).bits.equals(ours.bits)).toBe(true);

    const { inputs, results } = one;
    const exact = runExactly(optionsInFloat64(one), inputs);
    const asTheirs = runExactly(optionsInFloat64(one), inputs, { correctsFirst: framework === "optax" });
    const isOtherMathematics = one.options.centered && one.options.biasCorrection;
    for (const name of Object.keys(results) as ResultName[]) {
      const golden = goldenAt(results[name]!);
      const { single, double } = golden;
      const { ordinary, special } = finiteElements(golden, inputs);
      const far = (
        values: ArrayLike<number>,
        elements: readonly number[],
        judge: ArrayLike<number> = double,
      ) => distance(values, judge, elements, scaleOf(name, exact));
      const theirs = far(single, ordinary);
      const measured = far(ours.results[name]!, ordinary, isOtherMathematics ? exact[name] : double);
      ratios[name].push(measured.rms / theirs.rms);

      // In exact arithmetic the options mean what the framework computes, but for the 1e-6 that PyTorch and MLX add to
      // a norm before they divide by it, and for the float32 in which Optax' schedules divide the count of steps.
      let agreement = one.options.globalClipNorm === null ? 1e-5 : 2e-4;
      if (one.calls.linear_schedule) agreement = 0.05;
      expect(far(asTheirs[name], ordinary).rms).toBeLessThan(agreement * theirs.rms);

      if (name === "squareAvg" || name === "gradAvg") {
        expect(measured.rms).toBeLessThanOrEqual(limitOf(name, one) * theirs.rms);
      } else {
        expectNoFarther(measured, theirs);
      }
      // Cancellation leaves no right digit in the special ones, neither of theirs nor of ours: ours are no farther.
      if (inputs === "constant" && name === "parameters") {
        expectNoFarther(far(ours.results[name], special), far(single, special));
      }
    }
  });

  it("is no nearer to float64 in its parameters, in the mean of its cases", () => {
    const { parameters } = ratios;
    expect(parameters).toHaveLength(cases.length);
    expect(parameters.reduce((sum, ratio) => sum + ratio, 0) / parameters.length).toBeLessThanOrEqual(1.02);
  });
});

/** The first elements, which the inputs of some cases are about: the framework's results, and ours. */
function specialResults(one: Case) {
  const { results } = trainOn("wasm", optionsOfCase(one), one);
  const { single } = goldenAt(one.results.parameters);
  expect(single.filter(Number.isNaN)).toHaveLength(one.expectNaN.float32);
  expect(single.subarray(SPECIAL_ELEMENTS).every(Number.isFinite)).toBe(true);
  expect(results.parameters.every(Number.isFinite)).toBe(true);
  const first = (values: Float32Array | Float64Array) => values.subarray(0, SPECIAL_ELEMENTS);
  return { theirs: first(single), ours: first(results.parameters), squareAvg: first(results.squareAvg) };
}

describe("where frameworks fail", () => {
  // Optax' first variance is 0, and its second that of two gradients which are nearly one: steps of 600 to 1e9 times lr.
  it.each(["wasm", "js"] as const)("bias correction of a centered average trains on %s", (backend) => {
    const curvatures = [1, 0.3, 3, 10];
    for (const lr of [1e-3, 1e-2]) {
      const options = { lr, centered: true, biasCorrection: true, backend } as const;
      const optimizer = new RMSprop({ w: Float32Array.of(1, -2, 3, 0.5) }, options);
      const { w } = optimizer.params;
      for (let step = 0; step < 4000; step++) {
        const before = w.slice();
        optimizer.grads.w.set(w.map((x, i) => curvatures[i]! * x));
        optimizer.step();
        const moved = w.map((x, i) => Math.abs(x - before[i]!));
        if (step === 0) for (const by of moved) expect(by).toBeCloseTo(lr / Math.sqrt(0.99), 6);
        expect(Math.max(...moved)).toBeLessThan(6 * lr);
      }
      expect(Math.max(...w.map(Math.abs))).toBeLessThan(lr);
    }
  });

  const casesOn = (kind: Kind) => named(manifest.cases.filter(({ inputs }) => inputs === kind));

  // Its variance is zero: v − a² cancels, rounding takes it below zero, and the root is NaN for good. Ours is never
  // below zero, by the written order (README, "Numerics"), and the step is lr·g / eps or lr·g / sqrt(eps).
  it.each(casesOn("constant"))("a gradient that never changes makes %s NaN, not ours", (_, one) => {
    const { theirs } = specialResults(one);
    expect(theirs.some(Number.isNaN)).toBe(true);
  });

  // The average of its square overflows and is infinite for good. Every update is g/∞ then, and the parameter has not
  // moved at all since the beginning; or, where the average is kept as v + (1 − α)·(g² − v), it is ∞ − ∞. Ours stays
  // finite by the written order, and comes down again.
  it.each(casesOn("huge"))("a huge gradient stops %s for ever or makes it NaN, not ours", (_, one) => {
    const { theirs, ours, squareAvg } = specialResults(one);
    const initial = parameters().subarray(0, SPECIAL_ELEMENTS);
    const keepsTheDifference = ["tensorflow", "timm"].includes(one.framework);
    expect(theirs).toEqual(keepsTheDifference ? initial.map(() => NaN) : initial);
    expect(ours.some((value, i) => value === initial[i])).toBe(false);
    expect(Math.max(...squareAvg)).toBeLessThan(1e9);
  });

  it("is nowhere else in these runs", () => {
    for (const [, { expectNaN, results }] of [...casesOn("ordinary"), ...casesOn("long")]) {
      expect(expectNaN).toEqual({ float32: 0, float64: 0 });
      expect(goldenAt(results.parameters).single.every(Number.isFinite)).toBe(true);
    }
  });

  // Optax computes 1 − decay^t in float32 as well: with 0.999 that loses three of seven digits at the first steps.
  it("bias correction costs Optax digits that it doesn't cost us", () => {
    const one = manifest.cases.find(({ options }) => options.biasCorrection && options.alpha === 0.999)!;
    const { single, double } = goldenAt(one.results.parameters);
    const { results } = trainOn("wasm", optionsOfCase(one), one);
    const [ours, theirs] = [results.parameters, single].map((values) =>
      distance(values, double, [...values.keys()]),
    );
    expect(ours!.rms).toBeLessThan(0.2 * theirs!.rms);
  });
});

/** TensorFlow's centered kernel computes what these two describe, which no library offers by their names. */
it.each(["graves2013", "dqn"] as const)("dialect %s is one of the cases, learning rate and all", (name) => {
  expect(manifest.cases.map(({ options }) => options)).toContainEqual(complete(dialects[name]));
});
