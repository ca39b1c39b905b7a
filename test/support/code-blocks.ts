/** Runs the code of the documentation: in the README, in docs/ and in the examples of docstrings. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, transform } from "esbuild";
import { expect } from "vitest";
import { BUNDLE } from "../../tools/bundle.mjs";

export interface CodeBlock {
  language: string;
  code: string;
}

/** The fenced blocks of a Markdown text. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, code]) => ({
    language: language!,
    code: code!,
  }));
}

// tf.js, where a page uses it, asks for Node's built-in modules by `require`.
const PRELUDE = `
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
export const results = [];
const taken = (value) => (ArrayBuffer.isView(value) ? [...value] : value);`;

/** Whether JavaScript has a block's syntax. It may read it otherwise than TypeScript does: `load<"w">(bytes)` compares twice there. */
export async function isJavaScript(code: string): Promise<boolean> {
  return transform(code, { loader: "js", logLevel: "silent" }).then(
    () => true,
    () => false,
  );
}

/** Runs a block as a module by itself, as JavaScript if it is; each `expression; // → value` in it must give that value, in JSON. */
export async function expectToRun(code: string): Promise<void> {
  let promised = 0;
  const checked = code.replace(/^( *)(.*); \/\/ → (.*)$/gm, (_, indent, expression, value) => {
    promised++;
    // Taken now: a view shows what later lines make of it.
    return `${indent}results.push([taken(${expression}), ${JSON.stringify(value)}]);`;
  });
  const loader = (await isJavaScript(code)) ? "js" : "ts";
  const stdin = { contents: `${PRELUDE}\n${checked}`, loader, resolveDir: "." } as const;
  const alias = {
    "rmsprop-wasm": "./src/index.ts",
    "rmsprop-wasm/checkpoint": "./src/checkpoint.ts",
    "rmsprop-wasm/core": "./src/core.ts",
    "rmsprop-wasm/f64": "./src/f64.ts",
    "rmsprop-wasm/js": "./src/js.ts",
    "rmsprop-wasm/tfjs": "./src/tfjs.ts",
    "@tensorflow/tfjs": "./test/support/tfjs-package.ts",
  };
  const { outputFiles } = await build({
    ...BUNDLE,
    stdin,
    alias,
    external: [], // nor tf.js: it wouldn't be found from where the block is run
    ignoreAnnotations: true, // the stand-in for tf.js' package is there for what its imports do
    platform: "node",
    mainFields: ["module", "main"],
    nodePaths: ["bench/peers/node_modules"],
    write: false,
  });
  const file = join(mkdtempSync(join(tmpdir(), "code-block-")), "block.mjs");
  writeFileSync(file, outputFiles[0]!.text);

  const { results } = (await import(pathToFileURL(file).href)) as { results: [unknown, string][] };
  expect(results.length).toBe(promised);
  expect(promised).toBeGreaterThan(0);
  for (const [value, said] of results) expect(value).toEqual(JSON.parse(said));
}
