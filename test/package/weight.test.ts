/** The weight of the entries once bundled for a page, and the parts that they leave out. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { BUNDLE } from "../../tools/bundle.mjs";
import { WEIGHT_LIMITS } from "../../tools/weight-limits.ts";

/** A bundler's output for one line of a user's code. */
async function bundle(line: string, apart: string[] = []): Promise<string> {
  const stdin = { contents: line, resolveDir: "src" };
  // Files of their own, which are loaded when they are asked for: for threads, and for tf.js on graphics cards.
  const external = [...BUNDLE.external, "*/threads.ts", "*/cards.ts", ...apart];
  const { outputFiles } = await build({ ...BUNDLE, stdin, external, minify: true, write: false });
  return outputFiles[0]!.text;
}

const gzipped = (text: string) => gzipSync(text, { level: 9 }).byteLength;
const WASM_MAGIC = "0061736d";

describe("a minified bundle", () => {
  it.each([
    ["rmsprop-wasm", 'export * from "./index.ts"'],
    ["rmsprop-wasm/core", 'export * from "./core.ts"'],
    ["rmsprop-wasm/f64", 'export * from "./f64.ts"'],
    ["rmsprop-wasm/js", 'export * from "./js.ts"'],
    ["rmsprop-wasm/tfjs", 'export * from "./tfjs.ts"'],
  ] as const)("of %s stays under its limit, gzipped", async (entry, line) => {
    expect(gzipped(await bundle(line))).toBeLessThanOrEqual(WEIGHT_LIMITS[entry]);
  });

  it("of rmsprop-wasm has the limit that the README names", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const limit = WEIGHT_LIMITS["rmsprop-wasm"] / 1000;
    expect(readme).toContain(`at most ${limit} kB minified and gzipped`);
  });

  it("of rmsprop-wasm/checkpoint stays under its limit beside the main entry, which has nothing of it", async () => {
    const line = 'export * from "./checkpoint.ts"';
    expect(gzipped(await bundle(line, ["*/index.ts"]))).toBeLessThanOrEqual(
      WEIGHT_LIMITS["rmsprop-wasm/checkpoint"],
    );
    const both = await bundle(`export * from "./index.ts"; ${line}`);
    expect(both).toContain("square_avg");
    expect(await bundle('export * from "./index.ts"')).not.toContain("square_avg");
  });

  it("of rmsprop-wasm/js holds no WebAssembly", async () => {
    const text = await bundle('export * from "./js.ts"');
    expect(text).not.toContain(WASM_MAGIC);
    expect(await bundle('export * from "./index.ts"')).toContain(WASM_MAGIC);
  });

  it.each(["OptionError", "dialects"])("of %s alone holds no binary, and little else", async (name) => {
    const text = await bundle(`export { ${name} } from "./index.ts"`);
    expect(text).not.toContain(WASM_MAGIC);
    expect(text.length).toBeLessThan(1_000);
  });
});
