/** The dialects are as the pages say, and as the frameworks say of themselves. */
import { readFileSync } from "node:fs";
import { dialects, type Options, RMSprop } from "rmsprop-wasm";
import { dialects as jsDialects } from "rmsprop-wasm/js";
import { describe, expect, it } from "vitest";
import { DIALECT_OF, optionsOfCall } from "../golden/arguments.ts";
import { type Framework, manifest } from "../golden/vectors.ts";

type Dialect = keyof typeof dialects;
const names = Object.keys(dialects) as Dialect[];
/** A wrapper of PyTorch's optimizer, which adds options and has no dialect of its own. */
const WRAPPER = "schedulefree";
const frameworks = (Object.keys(DIALECT_OF) as Framework[]).filter((one) => one !== WRAPPER);

/** A dialect with our defaults for what it leaves out, as an optimizer has it. */
const complete = (name: Dialect) => ({ ...new RMSprop({ w: [1] }, dialects[name]).groups[0] });

it.each(frameworks)("%s has the dialect's defaults, by its own signature", (framework) => {
  const { defaults } = manifest.frameworks[framework];
  const theirs = optionsOfCall("defaults", defaults);
  expect(Object.keys(theirs).length).toBeGreaterThan(1);
  expect(complete(DIALECT_OF[framework])).toMatchObject(theirs);
  // A learning rate that the framework doesn't have is not the dialect's to choose.
  expect("lr" in dialects[DIALECT_OF[framework]]).toBe("lr" in theirs);
});

it("schedulefree's wrapper has the defaults of scheduleFree, by its own signature", () => {
  const { momentum: beta, weight_lr_power: weightLrPower, r } = manifest.frameworks[WRAPPER].defaults;
  const { options } = new RMSprop({ w: [1] }, { scheduleFree: true }).stateDict();
  expect(options?.scheduleFree).toEqual({ beta, weightLrPower, r, warmupSteps: 0 });
});

it("is the same from every entry", () => {
  expect(jsDialects).toEqual(dialects);
});

describe("the page of dialects", () => {
  const page = readFileSync(new URL("../../docs/dialects.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(
    ([, name, cells]) => [name, cells!.split(" | ")] as const,
  );

  it("has all of them, in order", () => {
    expect(rows.map(([name]) => name)).toEqual(names);
  });

  it.each(rows)("says of %s what it is", (name, [of, ...cells]) => {
    const dialect: Options = dialects[name as Dialect];
    const options = complete(name as Dialect);
    expect(cells.map((cell) => (Number.isNaN(Number(cell)) ? cell : Number(cell)))).toEqual([
      dialect.lr ?? "–",
      options.alpha,
      options.eps,
      options.epsInsideSqrt ? "inside the root" : "to the root",
      options.initialSquareAvg,
      options.lrInMomentum ? "into momentum" : "after momentum",
      options.decoupledWeightDecay ? "decoupled" : "coupled",
      options.momentum,
      options.centered ? "yes" : "no",
    ]);
    for (const framework of frameworks.filter((one) => DIALECT_OF[one] === name)) {
      expect(of).toContain(` ${manifest.frameworks[framework].version},`);
    }
  });

  it("says as many runs as there are", () => {
    expect(page).toContain(`${manifest.cases.length} runs over their options`);
  });
});
