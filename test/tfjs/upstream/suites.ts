/**
 * Runs tf.js's own tests twice, with `tf.train.rmsprop` and with the drop-in in its place, and compares.
 *
 *     npx tsx --tsconfig scripts/tsconfig.run.json test/tfjs/upstream/suites.ts [checkout of tensorflow/tfjs]
 *
 * writes the counts to `result.json` and the table into `docs/from-tfjs.md`. The package of tf.js's core carries its
 * tests. No version of its layers does: those come from a checkout, and without one the last result is kept.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { tableOf, withTable } from "../../../tools/readme-tables.ts";
import { installTfjs, peerModules } from "../../../tools/tfjs.mjs";
import type { Outcome } from "./harness.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const RESULT = path("result.json");
export const PAGE = path("../../../docs/from-tfjs.md");
const BINARIES = fileURLToPath(new URL("@tensorflow/tfjs-backend-wasm/dist/", peerModules));
const CORE_TESTS = fileURLToPath(
  new URL("@tensorflow/tfjs-core/dist/optimizers/rmsprop_optimizer_test.js", peerModules),
);

/** The differences that are meant, by the end of a test's name. */
export const EXPLAINED: Readonly<Record<string, string>> = {
  "must define learning rate":
    'expects an error from `tf.train.rmsprop(undefined)`; the drop-in takes the rate of `optimizer: "rmsprop"`',
};

/** The counts of one suite on one backend. */
export interface Counts {
  suite: string;
  backend: string;
  /** Tests that pass with tf.js's own optimizer. */
  stock: number;
  /** Those of them that pass with the drop-in. */
  dropIn: number;
  /** Names of the others. */
  lost: string[];
}

/** Runs the tests of these files on each backend in both ways, each in a process of its own. */
export async function compare(suite: string, files: readonly string[]): Promise<Counts[]> {
  const folder = mkdtempSync(join(tmpdir(), "tfjs-suites-"));
  try {
    const counts: Counts[] = [];
    for (const backend of ["cpu", "wasm"]) {
      const passedWith = async (isDropIn: boolean) => {
        const outcomes = await outcomesOf(files, folder, backend, isDropIn);
        return outcomes.filter(({ passed }) => passed).map(({ name }) => name);
      };
      const [stock, dropIn] = await Promise.all([passedWith(false), passedWith(true)]);
      const lost = stock.filter((name) => !dropIn.includes(name));
      counts.push({ suite, backend, stock: stock.length, dropIn: stock.length - lost.length, lost });
    }
    return counts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function outcomesOf(
  files: readonly string[],
  folder: string,
  backend: string,
  isDropIn: boolean,
): Promise<Outcome[]> {
  const outfile = join(folder, `${backend}-${isDropIn ? "drop-in" : "stock"}.cjs`);
  const stdin = {
    contents: `
      import { prepare, run, takeTheDropIn } from ${JSON.stringify(path("harness.ts"))};
      import * as backend from "@tensorflow/tfjs-backend-${backend}";
      backend.setWasmPaths?.(${JSON.stringify(BINARIES)});
      ${isDropIn ? "takeTheDropIn();" : ""}
      prepare("${backend}").then(() => {
        ${files.map((file) => `require(${JSON.stringify(file)});`).join("\n")}
        return run();
      }).then((outcomes) => {
        require("node:fs").writeFileSync(process.argv[2], JSON.stringify(outcomes));
        process.exit();
      });`,
    resolveDir: folder,
  };
  await build({
    stdin,
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // One tf.js for tests, layers, backends and the drop-in.
    mainFields: ["module", "main"],
    alias: { "rmsprop-wasm/tfjs": path("../../../src/tfjs.ts") },
    nodePaths: [fileURLToPath(peerModules), path("../../tools/node_modules")],
    // Tests import what some modules don't export, such as types.
    logLevel: "error",
  });
  const results = `${outfile}.json`;
  await promisify(execFile)(process.execPath, [outfile, results], { cwd: folder, maxBuffer: 2 ** 28 });
  return JSON.parse(readFileSync(results, "utf8"));
}

const testsIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.ts"))
    .sort()
    .map((name) => resolve(folder, name));

/** The counts of the last run. */
export const lastResult = (): Counts[] => JSON.parse(readFileSync(RESULT, "utf8"));

export const compareCore = () => compare("tfjs-core, `rmsprop_optimizer_test`", [CORE_TESTS]);

/** The table of the docs, and the reason for each difference. */
export function suitesTable(counts: readonly Counts[]): string {
  const rows = counts.map(({ suite, backend, stock, dropIn }) => [suite, backend, `${stock}`, `${dropIn}`]);
  const lost = [...new Set(counts.flatMap((one) => one.lost.map(explanationOf)))];
  return [
    tableOf([["tests of", "on", "pass with `tf.train.rmsprop`", "of these, with the drop-in"], ...rows]),
    "",
    ...lost.map((explanation) => `The one that doesn't ${explanation}.`),
  ].join("\n");
}

function explanationOf(name: string): string {
  const [, explanation] = Object.entries(EXPLAINED).find(([end]) => name.endsWith(end)) ?? [];
  if (explanation === undefined)
    throw new Error(`Passes with tf.js's optimizer, and not with the drop-in: ${name}`);
  return explanation;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installTfjs(console.log);
  const [checkout] = process.argv.slice(2);
  const layers = checkout
    ? await compare("tfjs-layers", testsIn(join(checkout, "tfjs-layers/src")))
    : lastResult().filter(({ suite }) => suite === "tfjs-layers");
  const counts = [...(await compareCore()), ...layers];
  writeFileSync(RESULT, `${JSON.stringify(counts, null, 2)}\n`);
  writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8"), suitesTable(counts), "suites"));
  console.log(suitesTable(counts));
}
