/** What the entries weigh once bundled for a page, and what they leave out. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { BUNDLE } from "../../scripts/bundle.mjs";

/** What a bundler makes of one line of a user's code. */
async function bundle(line: string, apart: string[] = []): Promise<string> {
  const stdin = { contents: line, resolveDir: "src" };
  // Threads make a file of their own, which is loaded when they are asked for.
  const external = [...BUNDLE.external, "*/threads.ts", ...apart];
  const { outputFiles } = await build({ ...BUNDLE, stdin, external, minify: true, write: false });
  return outputFiles[0]!.text;
}

const gzipped = (text: string) => gzipSync(text, { level: 9 }).byteLength;
const WASM_MAGIC = "0061736d";

describe("a minified bundle", () => {
  it.each([
    ["rmsprop-wasm", 'export * from "./index.ts"', 14_500],
    ["rmsprop-wasm/core", 'export * from "./core.ts"', 6_000],
    ["rmsprop-wasm/js", 'export * from "./js.ts"', 11_750],
    ["rmsprop-wasm/tfjs", 'export * from "./tfjs.ts"', 15_000],
  ])("of %s stays under its limit, gzipped", async (_, line, limit) => {
    expect(gzipped(await bundle(line))).toBeLessThanOrEqual(limit);
  });

  it("of rmsprop-wasm/checkpoint stays under its limit beside the main entry, which has nothing of it", async () => {
    const line = 'export * from "./checkpoint.ts"';
    expect(gzipped(await bundle(line, ["*/index.ts"]))).toBeLessThanOrEqual(7_000);
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
