/** Runs with `scheduleFree` in PyTorch, in the wrapper of the package schedulefree, and back. */
import { writeFileSync } from "node:fs";
import { RMSprop } from "rmsprop-wasm";
import { save } from "rmsprop-wasm/checkpoint";
import { expect, it } from "vitest";
import { optionsOfCase } from "../golden/arguments.ts";
import { distance, expectNoFarther } from "../golden/distance.ts";
import { STEPS, TENSOR_SIZES } from "../golden/inputs.ts";
import { goldenAt } from "../golden/vectors.ts";
import { describeWith } from "../support/required.ts";
import { all, fresh, HALF, joined, loaded, type Pair, testHalves, train } from "./halves.ts";
import { at, type Job, required, run } from "./python.ts";

describeWith(required("torch", "safetensors", "numpy", "schedulefree"), "schedulefree", () => {
  const halves = testHalves("schedulefree", "pytorch_jobs.py", 11);

  it("weighs on, and evaluates with the same averages", () => {
    const jobs = halves.map(([, { name }]): Job => {
      const ways = { source: at(`${name}-here`), target: at(`${name}-evaluated`) };
      return ["train", { ...ways, start: HALF, end: STEPS, free: {} }];
    });
    const evaluated = run("pytorch_jobs.py", jobs) as number[][];
    expect(evaluated).toHaveLength(halves.length);
    halves.forEach(([id, { one, name }], i) => {
      const [back, here] = [loaded(`${name}-evaluated`), fresh(optionsOfCase(one))];
      train(here, 0, STEPS);
      const [theirs, ours] = [back, here].map((optimizer) => optimizer.stateDict().groups[0]!);
      expect(theirs!.weightSum! / ours!.weightSum!, id).toBeCloseTo(1, 12);
      expect(theirs!.lrMax, id).toBe(ours!.lrMax);
      back.eval();
      const { double } = goldenAt(one.results.evaluated!);
      expectNoFarther(distance(joined(back), double, all), distance(evaluated[i]!, double, all));
    });
  });

  it("is saved with its averages' settings alone as they are meant", () => {
    writeFileSync(at("free"), save(fresh({ scheduleFree: true })));
    const [said] = run("pytorch_jobs.py", [["refuse_free", { source: at("free"), target: at("nowhere") }]]);
    expect(said).toEqual({
      inside: expect.stringContaining("hand in the ScheduleFreeWrapper that load gave"),
      evaluating: expect.stringContaining("call optimizer.train() first"),
      decay: expect.stringContaining("use weight_decay_at_y"),
    });
  });

  it("doesn't go on where it would compute something else", () => {
    const groups = (decays: number[]) =>
      new RMSprop(
        decays.map((weightDecay, i) => ({
          params: { [["first", "second"][i]!]: [TENSOR_SIZES[i]!] },
          weightDecay,
          decoupledWeightDecay: true,
        })),
        { scheduleFree: true },
      );
    for (const [optimizer, message] of [
      [fresh({ scheduleFree: true, weightDecay: 0.1 }), "at z, rmsprop-wasm at y"],
      [groups([0.1, 0.2]), "one weight decay for all groups"],
      [fresh({ lr: "auto" }), "learned rate"],
    ] as const) {
      writeFileSync(at("foreign"), save(optimizer as Pair));
      const job = { source: at("foreign"), target: at("nowhere"), start: 0, end: 1 };
      expect(() => run("pytorch_jobs.py", [["train", job]])).toThrow(message);
    }
  });
});
