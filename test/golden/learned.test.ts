/** `lr: "auto"` beside Optax' mechanize around its RMSprop, on the bowl that `mechanic_.py` describes. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dialects, type Options, RMSprop } from "rmsprop-wasm";
import { RMSprop as F64RMSprop } from "rmsprop-wasm/f64";
import { expect, it } from "vitest";
import { optionsOfCall } from "./arguments.ts";
import { distance } from "./distance.ts";
import { ELEMENTS, gradients, parameters, STEPS } from "./inputs.ts";
import { type Argument, goldenIn, type Place } from "./vectors.ts";

interface Case {
  calls: Readonly<Record<string, Readonly<Record<string, Argument>>>>;
  results: Readonly<Record<Result, Place>>;
}
type Result = "parameters" | "squareAvg" | "rates" | "earlyParameters" | "earlySquareAvg";

const file = (name: string) => readFileSync(new URL(`learned/optax.${name}`, import.meta.url));
const manifest: { version: string; steps: number; early: number; binary: string; cases: readonly Case[] } =
  JSON.parse(file("json").toString());
const binary = file("bin");

/** Our options: the rate that Optax' optimizer has inside is a factor of the learned one. */
function optionsOf({ calls }: Case): { options: Options; factor: number } {
  const options: Options = { ...dialects.optax };
  for (const [call, given] of Object.entries(calls)) {
    if (call !== "mechanize") Object.assign(options, optionsOfCall(call, given));
  }
  return { options: { ...options, lr: "auto" }, factor: Number(options.lr) };
}

function train(one: Case, backend: "wasm" | "js", Class: typeof RMSprop | typeof F64RMSprop = RMSprop) {
  const { options, factor } = optionsOf(one);
  const start = parameters();
  const round = Class === RMSprop ? Math.fround : (value: number) => value;
  const tensor = { w: { shape: [ELEMENTS], values: [...start] } };
  const optimizer = new (Class as typeof RMSprop)(tensor, { ...options, backend });
  optimizer.groups[0].lr = factor;
  const { w } = optimizer.grads;
  const rates: number[] = [];
  let [earlyParameters, earlySquareAvg] = [start, start];
  for (let step = 0; step < manifest.steps; step++) {
    const noise = gradients("ordinary", step % STEPS);
    const p = optimizer.params.w;
    for (let i = 0; i < ELEMENTS; i++) {
      const way = round(p[i]! - start[(i - 7 + ELEMENTS) % ELEMENTS]!);
      const some = Math.min(0.125, Math.max(-0.125, noise[i]!));
      w[i] = round(way * 2 ** ((i % 6) - 3)) + some;
    }
    optimizer.step();
    rates.push(optimizer.learnedLr!);
    if (step + 1 === manifest.early) {
      [earlyParameters, earlySquareAvg] = [optimizer.params.w.slice(), optimizer.state.w.squareAvg.slice()];
    }
  }
  const { squareAvg } = optimizer.state.w;
  return { parameters: optimizer.params.w, squareAvg, rates, earlyParameters, earlySquareAvg };
}

it("has the files that belong together", () => {
  expect(createHash("sha256").update(binary).digest("hex")).toBe(manifest.binary);
  expect(manifest.version).toBe("0.2.8");
});

/** How far the values are from Optax' float64, and how far those of its float32 are. */
function distances(one: Case, name: Result, values: ArrayLike<number>, steps = values.length) {
  const { single, double } = goldenIn(binary, one.results[name]);
  const scale = (i: number) => (name.endsWith("arameters") ? 1 : Math.abs(double[i]!) || 1);
  const elements = [...double.keys()].slice(0, steps);
  const [ours, theirs] = [values, single].map((result) => distance(result, double, elements, scale).rms);
  return { ours: ours!, theirs: theirs! };
}

/**
 * Limits of the early part of a run. Optax computes the way from the start as a difference of parameters, of which a rate of a
 * millionth leaves a few last bits; here the way is kept. So rates are 1e-8 to 1e-5 from those in float64 as long as elements
 * are on their way, and Optax' 1e-4 to 1e-2. Later, the last bits of a parameter decide where it swings to, and all runs in float32 learn rates that are some
 * percent from those in float64; in one run it is luck which is nearer, by a factor of 3 either way. So that end is judged by
 * all runs together.
 */
const EARLY_LIMIT = { earlyParameters: 0.01, earlySquareAvg: 0.05, rates: 0.01 };

it.each(manifest.cases.map((one) => [JSON.stringify(one.calls), one] as const))(
  "%s is nearer to float64 than Optax on both backends, which agree to the bit",
  (_, one) => {
    const run = train(one, "wasm");
    expect(train(one, "js")).toEqual(run);
    for (const name of ["earlyParameters", "earlySquareAvg", "rates"] as const) {
      const { ours, theirs } = distances(one, name, run[name], name === "rates" ? manifest.early : undefined);
      expect(ours).toBeLessThanOrEqual(EARLY_LIMIT[name] * theirs);
    }
  },
);

it.each(["parameters", "squareAvg", "rates"] as const)(
  "ends no farther from float64 than Optax by the %s of all runs together",
  (name) => {
    const all = manifest.cases.map((one) => distances(one, name, train(one, "wasm")[name]));
    const rms = (whose: "ours" | "theirs") => Math.hypot(...all.map((one) => one[whose]));
    expect(rms("ours")).toBeLessThanOrEqual(rms("theirs"));
  },
);

it.each(manifest.cases.map((one) => [JSON.stringify(one.calls), one] as const))(
  "%s is the same mathematics: in float64, as long as rounding doesn't decide, all rates agree",
  (_, one) => {
    const { rates } = train(one, "wasm", F64RMSprop);
    const { double } = goldenIn(binary, one.results.rates);
    for (let step = 0; step < manifest.early; step++) {
      expect(Math.abs(rates[step]! / double[step]! - 1)).toBeLessThan(1e-9);
    }
  },
);
