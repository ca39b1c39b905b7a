/** tf.js's own tests, with the drop-in in the place of its optimizer. */
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { withTable } from "../../tools/readme-tables.ts";
import { describeWith } from "../support/required.ts";
import { tfjs } from "./installed.ts";
import { compareCore, EXPLAINED, lastResult, PAGE, suitesTable } from "./upstream/suites.ts";

const jasmine = {
  name: "jasmine-core",
  isThere: existsSync(new URL("../tools/node_modules/jasmine-core", import.meta.url)),
  install: "npm ci --prefix test/tools",
};

describeWith(tfjs, "tf.js's tests of its RMSprop", () => {
  describeWith(jasmine, "in its own harness", () => {
    it("pass with the drop-in on cpu and wasm, but those whose difference is meant", async () => {
      const counts = await compareCore();
      expect(counts).toEqual(lastResult().filter(({ suite }) => suite === counts[0]!.suite));
      for (const { stock, dropIn, lost } of counts) {
        expect([stock, dropIn]).toEqual([6, 5]);
        expect(Object.keys(EXPLAINED).some((end) => lost[0]!.endsWith(end))).toBe(true);
      }
    });
  });
});

it("the docs show the counts of the last run", () => {
  const page = readFileSync(PAGE, "utf8");
  expect(withTable(page, suitesTable(lastResult()), "suites")).toBe(page);
});
