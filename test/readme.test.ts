/** Every code block of the README runs, and each `expression; // → value` in it gives that value. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { withTables } from "../bench/readme-table.ts";
import { newestResult } from "../bench/store.ts";
import { BUNDLE } from "../scripts/bundle.mjs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/^```(?<language>\w*)\n(?<code>.*?)^```$/gms)].map(
  ({ groups }) => groups!,
);

const PRELUDE = `
export const results = [];
const taken = (value) => (ArrayBuffer.isView(value) ? [...value] : value);`;

describe("the README", () => {
  it("has no code in a language that isn't run here", () => {
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["ts", "sh", "text"]));
  });

  const examples = blocks.filter(({ language }) => language === "ts").map(({ code }) => code!);
  it.each(examples)("runs: %s", async (code) => {
    let promised = 0;
    const checked = code.replace(/^(.*); \/\/ → (.*)$/gm, (_, expression, value) => {
      promised++;
      // Taken now: a view shows what later lines make of it.
      return `results.push([taken(${expression}), ${JSON.stringify(value)}]);`;
    });
    const stdin = {
      contents: `${PRELUDE}\n${checked}`,
      loader: "ts" as const,
      resolveDir: ".",
    };
    const alias = { "rmsprop-wasm": "./src/index.ts", "rmsprop-wasm/core": "./src/core.ts" };
    const { outputFiles } = await build({ ...BUNDLE, stdin, alias, write: false });
    const file = join(mkdtempSync(join(tmpdir(), "readme-")), "example.mjs");
    writeFileSync(file, outputFiles[0]!.text);

    const { results } = (await import(pathToFileURL(file).href)) as { results: [unknown, string][] };
    expect(results.length).toBe(promised);
    expect(promised).toBeGreaterThan(0);
    for (const [value, said] of results) {
      expect(value).toEqual(JSON.parse(said));
    }
  });

  it("shows the figures of the newest complete run of the benchmarks", () => {
    expect(withTables(readme, newestResult())).toBe(readme);
  });

  it("names commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    for (const [, name] of readme.matchAll(/npm run ([\w:-]+)/g))
      expect(Object.keys(scripts)).toContain(name);
  });
});
