/** The package's files, and the truth of what it says of itself. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import ts from "typescript";
import { describe, expect, inject, it } from "vitest";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";
import { importTool, tools } from "../tools/load.ts";

const { tarball, consumer, installed, entries } = inject("packed");

const files = readdirSync(installed, { recursive: true, encoding: "utf8" })
  .filter((name) => statSync(join(installed, name)).isFile())
  .map((name) => name.replaceAll("\\", "/"));

it("has the pages and pictures of docs/", () => {
  const folder = new URL("../../docs/", import.meta.url);
  const wanted = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(md|svg)$/.test(name))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`);
  expect(files.filter((name) => name.startsWith("docs/")).sort()).toEqual(wanted.sort());
});

it("has these files beside them, and no others", () => {
  expect(files.filter((name) => !name.startsWith("docs/")).sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dist/base/arithmetic.d.ts",
    "dist/base/real.d.ts",
    "dist/checkpoint.d.ts",
    "dist/checkpoint.js",
    "dist/checkpoint.js.map",
    "dist/checkpoint.workerd.js",
    "dist/checkpoint.workerd.js.map",
    "dist/checkpoint/atomic-write.d.ts",
    "dist/checkpoint/carried.d.ts",
    "dist/checkpoint/chunks.d.ts",
    "dist/checkpoint/dtypes.d.ts",
    "dist/checkpoint/entry.d.ts",
    "dist/checkpoint/json.d.ts",
    "dist/checkpoint/lerobot.d.ts",
    "dist/checkpoint/metadata.d.ts",
    "dist/checkpoint/safetensors.d.ts",
    "dist/core-shared.wasm",
    "dist/core.d.ts",
    "dist/core.js",
    "dist/core.js.map",
    "dist/core.wasm",
    "dist/core.workerd.js",
    "dist/core.workerd.js.map",
    "dist/errors.d.ts",
    "dist/errors.js",
    "dist/errors.js.map",
    "dist/f64-shared.wasm",
    "dist/f64.d.ts",
    "dist/f64.js",
    "dist/f64.js.map",
    "dist/f64.wasm",
    "dist/f64.workerd.js",
    "dist/f64.workerd.js.map",
    "dist/index.d.ts",
    "dist/index.js",
    "dist/index.js.map",
    "dist/index.workerd.js",
    "dist/index.workerd.js.map",
    "dist/js.d.ts",
    "dist/js.js",
    "dist/js.js.map",
    "dist/kernel/contract.d.ts",
    "dist/kernel/segment.d.ts",
    "dist/memory/arena.d.ts",
    "dist/optimizer/exports.d.ts",
    "dist/optimizer/handle.d.ts",
    "dist/optimizer/learned.d.ts",
    "dist/optimizer/optimizer.d.ts",
    "dist/optimizer/params.d.ts",
    "dist/optimizer/report.d.ts",
    "dist/optimizer/shard.d.ts",
    "dist/optimizer/state-dict.d.ts",
    "dist/optimizer/tensor.d.ts",
    "dist/optimizer/values.d.ts",
    "dist/options/dialects.d.ts",
    "dist/options/hyperparameters.d.ts",
    "dist/options/missed.d.ts",
    "dist/options/options.d.ts",
    "dist/options/schedule-free.d.ts",
    "dist/options/step-options.d.ts",
    "dist/tfjs-cards.js",
    "dist/tfjs-cards.js.map",
    "dist/tfjs-global.js",
    "dist/tfjs-global.js.map",
    "dist/tfjs.d.ts",
    "dist/tfjs.js",
    "dist/tfjs.js.map",
    "dist/tfjs/gradients.d.ts",
    "dist/tfjs/optimizer.d.ts",
    "dist/tfjs/options.d.ts",
    "dist/tfjs/schedule-free.d.ts",
    "dist/tfjs/weights.d.ts",
    "dist/third-party-licenses.txt",
    "dist/threads.js",
    "dist/threads.js.map",
    "package.json",
    "python/rmsprop_wasm_keras.py",
    "python/rmsprop_wasm_torch.py",
  ]);
});

const scripts = files.filter((name) => name.endsWith(".js"));

describe("the code", () => {
  const lines = (name: string) => readFileSync(join(installed, name), "utf8").split("\n");

  it("has a file for each of src/*.ts, and those for workerd", () => {
    const entries = readdirSync(new URL("../../src", import.meta.url)).filter((name) => name.endsWith(".ts"));
    const expected = entries.map((name) => `dist/${name.replace(".ts", ".js")}`);
    expect(scripts.filter((name) => !name.endsWith(".workerd.js")).sort()).toEqual(expected.sort());
  });

  it.each(scripts)("of %s is in lines that a terminal can show, without comments", (name) => {
    expect(lines(name).filter((line) => line.length > 200)).toEqual([]);
    expect(lines(name).filter((line) => /^ +(\/\*|\/\/ (?!src\/))/.test(line))).toEqual([]);
  });

  it("has the sources' own names", () => {
    const text = readFileSync(join(installed, "dist/index.js"), "utf8");
    for (const name of ["wasmHex", "decodeHex", "hyperparameters", "squareAvg"]) expect(text).toContain(name);
  });
});

describe("source maps", () => {
  it.each(scripts)("%s names its own, and that holds the sources as they are", (name) => {
    const script = readFileSync(join(installed, name), "utf8");
    expect(script.match(/\/\/# sourceMappingURL=(.*)\n$/)?.[1]).toBe(`${name.replace("dist/", "")}.map`);
    const map = JSON.parse(readFileSync(join(installed, `${name}.map`), "utf8")) as {
      sources: string[];
      sourcesContent: string[];
    };
    const own = map.sources.flatMap((source, i) =>
      source.startsWith("../src/") ? [{ source, content: map.sourcesContent[i] }] : [],
    );
    expect(own.length).toBeGreaterThan(0);
    for (const { source, content } of own) {
      expect(content).toBe(readFileSync(new URL(`../${source}`, import.meta.url), "utf8"));
    }
    expect(map.sourcesContent).toHaveLength(map.sources.length);
    expect(map.sourcesContent.every((content) => content.length > 0)).toBe(true);
  });
});

describe("an entry", () => {
  const promises = (isOnTfjs: boolean) => {
    const some = entries.filter(({ entry }) => (entry === "./tfjs") === isOnTfjs);
    it.each(some)("$entry has what its types promise", expectToKeepPromises);
  };
  promises(false);
  describeWith(tfjs, "beside tf.js", () => promises(true));

  async function expectToKeepPromises(entry: (typeof entries)[number]) {
    const types = join(installed, entry.types);
    const program = ts.createProgram([types], { module: ts.ModuleKind.NodeNext });
    const checker = program.getTypeChecker();
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(types)!)!;
    const isValue = (name: ts.Symbol) => {
      if (name.declarations?.some(ts.isTypeOnlyExportDeclaration)) return false;
      const target = name.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name;
      return target.flags & ts.SymbolFlags.Value;
    };
    const promised = checker.getExportsOfModule(symbol).filter(isValue);
    const module = await import(pathToFileURL(join(installed, entry.default)).href);
    expect(promised.length).toBeGreaterThan(0);
    expect(Object.keys(module)).toEqual(expect.arrayContaining(promised.map(({ name }) => name)));
  }

  /** A bundler's output for a line, without the tsconfig that it would look for upwards. */
  const bundled = async (contents: string) => {
    const options = { bundle: true, format: "esm", minify: true, write: false, tsconfigRaw: "{}" } as const;
    const { outputFiles } = await build({ stdin: { contents, resolveDir: consumer }, ...options });
    return outputFiles[0]!.text;
  };
  const binariesIn = (text: string) => text.split("0061736d").length - 1;

  it("for checkpoints brings no second optimizer, and none at all where none is made", async () => {
    const main = 'export { RMSprop } from "rmsprop-wasm"';
    expect(binariesIn(await bundled(main))).toBe(1);
    expect(binariesIn(await bundled(`${main}; export { load } from "rmsprop-wasm/checkpoint"`))).toBe(1);
    const files = 'export { restore, save, writeFileAtomic } from "rmsprop-wasm/checkpoint"';
    expect(binariesIn(await bundled(files))).toBe(0);
  });

  it.each(["dialects", "OptionError"])("brings no binary where %s alone is used", async (name) => {
    const text = await bundled(`export { ${name} } from "rmsprop-wasm"`);
    expect(binariesIn(text)).toBe(0);
    expect(text.length).toBeLessThan(5_000);
  });
});

interface Attw {
  createPackageFromTarballData(tarball: Uint8Array): object;
  checkPackage(
    of: object,
    options: { excludeEntrypoints: RegExp[] },
  ): Promise<{ types: unknown; problems: { kind: string; resolutionKind: string }[] }>;
}

interface Publint {
  publint(options: {
    pack: { tarball: ArrayBufferLike };
    strict: boolean;
  }): Promise<{ messages: { code: string }[] }>;
}

describeWith(tools, "the package in others' judgement", () => {
  const packed = new Uint8Array(readFileSync(tarball));

  it("of publint is faultless", async () => {
    const { publint } = (await importTool("publint")) as Publint;
    const { messages } = await publint({ pack: { tarball: packed.buffer }, strict: true });
    expect(messages).toEqual([]);
  });

  it("of Are the types wrong? has types that are right, for import and for require", async () => {
    const attw = (await importTool("@arethetypeswrong/core")) as Attw;
    const { types, problems } = await attw.checkPackage(attw.createPackageFromTarballData(packed), {
      excludeEntrypoints: [/\.wasm$/],
    });
    expect(types).toBeTruthy();
    // There is one build, of ES modules, which `require` takes too from Node 20.19 and TypeScript 5.8 on; and TypeScript
    // needs a `moduleResolution` that knows `exports`, as all since 4.7 do but "node10".
    const wrong = problems.filter(
      ({ kind, resolutionKind }) => kind !== "CJSResolvesToESM" && resolutionKind !== "node10",
    );
    expect(wrong).toEqual([]);
  });
});
