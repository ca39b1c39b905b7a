/** Runs of the golden vectors in halves, one here and one in a framework, and how far they end from float64. */
import { readFileSync, writeFileSync } from "node:fs";
import { type Options, RMSprop } from "rmsprop-wasm";
import { load, save } from "rmsprop-wasm/checkpoint";
import { beforeAll, expect, it } from "vitest";
import { optionsOfCase } from "../golden/arguments.ts";
import { distance, expectNoFarther } from "../golden/distance.ts";
import { gradients, parameters, STEPS, TENSOR_SIZES } from "../golden/inputs.ts";
import { type Case, type Framework, goldenAt, manifest } from "../golden/vectors.ts";
import { exactly } from "../support/runs.ts";
import { at, type Job, run, type Script } from "./python.ts";

export const HALF = STEPS / 2;
/** Those whose options stay as they are: clipping and schedules are the callers' in the frameworks. */
const casesOf = (wanted: Framework) =>
  manifest.cases.filter(
    ({ framework, calls, inputs, options }) =>
      framework === wanted &&
      inputs === "ordinary" &&
      typeof options.lr === "number" &&
      Object.keys(calls).join() === (wanted === "schedulefree" ? "RMSprop,ScheduleFreeWrapper" : "RMSprop"),
  );

export function fresh(options: Options) {
  const initial = parameters();
  const optimizer = new RMSprop({ first: [TENSOR_SIZES[0]], second: [TENSOR_SIZES[1]] }, options);
  optimizer.params.first.set(initial.subarray(0, TENSOR_SIZES[0]));
  optimizer.params.second.set(initial.subarray(TENSOR_SIZES[0]));
  return optimizer;
}

export type Pair = ReturnType<typeof fresh>;

export function train(optimizer: Pair, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    const gradient = gradients("ordinary", step);
    optimizer.grads.first.set(gradient.subarray(0, TENSOR_SIZES[0]));
    optimizer.grads.second.set(gradient.subarray(TENSOR_SIZES[0]));
    optimizer.step();
  }
}

export const loaded = (name: string) => load<"first" | "second">(readFileSync(at(name)));
export const joined = ({ params }: Pick<Pair, "params">) =>
  Float32Array.of(...params.first, ...params.second);
const joinedZ = ({ state }: Pick<Pair, "state">) => Float32Array.of(...state.first.z!, ...state.second.z!);
export const all = [...parameters().keys()];

/** One case, trained in halves here and there: which files it is in. */
export interface Halves {
  one: Case;
  name: string;
}

const halvesOf = (cases: Case[]): [id: string, halves: Halves][] =>
  cases.map((one, i) => [one.id, { one, name: `${one.framework}-${i}` }]);

/** Trains each case in all ways: there and there, there and here, here and there. */
function trainHalves(script: Script, halves: Halves[]): void {
  const whole = halves.flatMap(({ one, name }): Job[] => {
    const start = { start: 0, arguments: one.calls.RMSprop, free: one.calls.ScheduleFreeWrapper };
    return [
      ["train", { ...start, end: HALF, target: at(`${name}-there`) }],
      ["train", { ...start, end: STEPS, target: at(`${name}-unbroken`) }],
    ];
  });
  run(script, whole);
  for (const { one, name } of halves) {
    const here = fresh(optionsOfCase(one));
    train(here, 0, HALF);
    writeFileSync(at(`${name}-here`), save(here));
    const thereHere = loaded(`${name}-there`);
    train(thereHere as unknown as Pair, HALF, STEPS);
    writeFileSync(at(`${name}-there-here`), save(thereHere));
  }
  const rest = { start: HALF, end: STEPS };
  const second = halves.flatMap(({ name }): Job[] =>
    ["there", "here"].map((from) => [
      "train",
      { ...rest, source: at(`${name}-${from}`), target: at(`${name}-${from}-there`) },
    ]),
  );
  run(script, second);
}

/** Groups without the sums of weights, which two ways of taking powers round differently. */
function withoutSums({ groups }: { groups: readonly object[] }) {
  return groups.map((group) => ({ ...group, weightSum: undefined, lrMax: undefined }));
}

/** No farther from float64 than the framework is, all in one place, and what has gone round is as it was. */
function expectNoSeam({ one, name }: Halves): void {
  const { double } = goldenAt(one.results.parameters);
  const unbroken = loaded(`${name}-unbroken`);
  const theirs = distance(joined(unbroken), double, all);
  for (const way of ["there-here", "here-there"]) {
    const optimizer = loaded(`${name}-${way}`);
    expect(optimizer.steps).toBe(STEPS);
    expectNoFarther(distance(joined(optimizer), double, all), theirs);
    if (one.results.ema) {
      const averages = goldenAt(one.results.ema).double;
      const [ours, their] = [optimizer, unbroken].map(({ ema }) =>
        Float32Array.of(...ema.first, ...ema.second),
      );
      expectNoFarther(distance(ours!, averages, all), distance(their!, averages, all));
    }
    if (one.results.z) {
      const points = goldenAt(one.results.z).double;
      expectNoFarther(distance(joinedZ(optimizer), points, all), distance(joinedZ(unbroken), points, all));
    }
    expect(withoutSums(optimizer.stateDict())).toEqual(withoutSums(fresh(optionsOfCase(one)).stateDict()));
  }
  expect(exactly(loaded(`${name}-there-there`).stateDict().tensors)).toEqual(
    exactly(unbroken.stateDict().tensors),
  );
}

/** Tests that runs of a framework's cases can be stopped in the middle and go on in the other place, so many cases in all. */
export function testHalves(
  framework: Framework,
  script: Script,
  wanted: number,
): [id: string, halves: Halves][] {
  const halves = halvesOf(casesOf(framework));
  const all = halves.map(([, one]) => one);
  beforeAll(() => trainHalves(script, all), 300_000);
  it("has the cases that can be stopped", () => expect(halves).toHaveLength(wanted));
  it.each(halves)("and we go on from each other's files: %s", (_, one) => expectNoSeam(one));
  return halves;
}
