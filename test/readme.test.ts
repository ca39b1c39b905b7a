/** Every code block of the README runs, and each `expression; // → value` in it gives that value. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withTables } from "../bench/readme-table.ts";
import { newestResult } from "../bench/store.ts";
import { codeBlocks, expectToRun } from "./code-blocks.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = codeBlocks(readme);

describe("the README", () => {
  it("has no code in a language that isn't run here", () => {
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["ts", "sh", "text"]));
  });

  const examples = blocks.filter(({ language }) => language === "ts").map(({ code }) => code);
  it.each(examples)("runs: %s", expectToRun);

  it("shows the figures of the newest complete run of the benchmarks", () => {
    expect(withTables(readme, newestResult())).toBe(readme);
  });

  it("names commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
  });
});
