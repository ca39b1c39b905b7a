/** What the entries weigh once bundled for a page, and what they leave out. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { BUNDLE } from "../scripts/bundle.mjs";

/** What a bundler makes of one line of a user's code. */
async function bundle(line: string): Promise<string> {
  const stdin = { contents: line, resolveDir: "src" };
  const { outputFiles } = await build({ ...BUNDLE, stdin, minify: true, write: false });
  return outputFiles[0]!.text;
}

const gzipped = (text: string) => gzipSync(text, { level: 9 }).byteLength;
const WASM_MAGIC = "AGFzbQ";

describe("a minified bundle", () => {
  it.each([
    ["rmsprop-wasm", 'export * from "./index.ts"', 12_000],
    ["rmsprop-wasm/core", 'export * from "./core.ts"', 9_000],
    ["rmsprop-wasm/js", 'export * from "./js.ts"', 10_000],
  ])("of %s stays under its limit, gzipped", async (_, line, limit) => {
    expect(gzipped(await bundle(line))).toBeLessThanOrEqual(limit);
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
