/**
 * Writes the pages' tables from the newest complete result in `bench/results`, each between two marker comments.
 * `node --import tsx bench/readme-table.ts` writes them; with `--check` it only says whether the pages have them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pagePath, tableOf, withTable } from "../tools/readme-tables.ts";
import type { BenchRecord, Result } from "./result.ts";
import { newestResult } from "./store.ts";
import { sizeTitle } from "./work.ts";

const SIZES = [16, 2 ** 10, 2 ** 14, 2 ** 18, 2 ** 20, 2 ** 24];
/** The README's sizes. A quick run ends at a million elements. */
const SHORT_SIZES = [16, 2 ** 10, 2 ** 18];
const LARGEST = [2 ** 24, 2 ** 20];
const WAYS = [
  "step",
  "step8",
  "scalar",
  "plain",
  "simple",
  "tfjs-wasm",
  "tfjs-cpu",
  "torch",
  "torch-compiled",
  "optax-jit",
  "streams",
];

/** Nanoseconds per element by way and size, and where they were measured. */
export function readmeTable({ records, machine, versions, date }: Result): string {
  const sizes = recordsBySize(records);
  const present = SIZES.filter((size) => sizes.some(({ count }) => count === size));
  const rows = WAYS.flatMap((way) => {
    const ofWay = sizes.filter((record) => record.way === way);
    const title = ofWay[0]?.title;
    return title ? [[title, ...present.map((size) => cell(ofWay.find(({ count }) => count === size)))]] : [];
  });
  const software = [`Node ${machine.node}`, ...(versions.tfjs ? [`tf.js ${versions.tfjs}`] : [])];
  return [
    tableOf([["ns per element", ...present.map(sizeTitle)], ...rows]),
    "",
    `Medians; in brackets how many times the time of \`step()\`. 16 elements are two tensors of 8. ${machine.cpu}, ${machine.cores} cores, ${machine.os}; ${software.join(", ")}; ${date.slice(0, 10)}.`,
  ].join("\n");
}

/** The case of one tensor by size, and the small model, which is too small to be one of them. */
const recordsBySize = (records: BenchRecord[]) =>
  records.filter((record) => record.case === "sizes" || record.case === "small");

const fastest = (records: BenchRecord[]) =>
  [...records].sort((a, b) => a.nsPerElement.median - b.nsPerElement.median)[0];

/** Whether a result has the cases that the README's table is made of. */
export const isForReadme = ({ records }: Result) =>
  ["small", "sizes"].every((name) => records.some((record) => record.case === name));

/** Four sizes and the nearest rivals, for the README. The faster of two loops stands for JavaScript at each size. */
export function shortTable({ records, machine, date }: Result): string {
  const sizes = recordsBySize(records);
  const at = (count: number, ...ways: string[]) =>
    fastest(sizes.filter((record) => record.count === count && ways.includes(record.way)));
  const largest = LARGEST.find((size) => sizes.some(({ count }) => count === size));
  const counts = [...SHORT_SIZES, ...(largest === undefined ? [] : [largest])];
  const rows = [
    ["step"],
    ["mine"],
    ["plain", "simple"],
    ["tfjs-wasm"],
    ["torch"],
    ["torch-compiled"],
    ["optax-jit"],
  ].flatMap((ways) => {
    const present = sizes.find(({ way }) => ways.includes(way));
    if (!present) return [];
    const title = ways.length > 1 ? "the faster of two JavaScript loops" : present.title;
    return [[title, ...counts.map((count) => cell(at(count, ...ways)))]];
  });
  const [small, loop] = [at(16, "step"), at(16, "plain", "simple")];
  if (!small || !loop) throw new Error("The result lacks 16 elements, which the README speaks of.");
  const nanoseconds = (small.microsecondsPerStep.median * 1000).toFixed(0);
  const even = Math.ceil((small.microsecondsPerStep.median * 1000) / loop.nsPerElement.median);
  return [
    tableOf([["ns per element", ...counts.map(sizeTitle)], ...rows]),
    "",
    `Medians; in brackets how many times the time of \`step()\`. ${machine.cpu}, Node ${machine.node}, ${date.slice(0, 10)}. Below some ${even} elements a loop is faster: a call of \`step()\` takes ${nanoseconds} ns however little it updates.`,
  ].join("\n");
}

/** The cost of each option: how many times the time of a plain step, at each size that was measured. */
export function variantTable({ records }: Result): string {
  const priced = records.filter((record) => record.case === "options" && record.timesOf.plain !== undefined);
  const sizes = [...new Set(priced.map(({ count }) => count))];
  const rows = [...new Set(priced.map(({ work }) => work))].map((work) => [
    work,
    ...sizes.map((size) => {
      const ratio = priced.find((record) => record.work === work && record.count === size)?.timesOf.plain;
      return ratio === undefined ? "–" : `${ratio.toFixed(2)}×`;
    }),
  ]);
  return [
    tableOf([["step() with", ...sizes.map(sizeTitle)], ...rows]),
    "",
    "Medians of its time by that of a plain `step()` on as many tensors, one where nothing else is said.",
  ].join("\n");
}

/** The tables of each page, by the name of their markers. */
const TABLES: Record<string, Record<string, (result: Result) => string>> = {
  "README.md": { bench: shortTable },
  "docs/speed.md": { bench: readmeTable, "bench:variants": variantTable },
};
export const pagesWithTables = Object.keys(TABLES);

/** The page of that path with all its tables. */
export function withTables(path: string, result: Result): string {
  const page = readFileSync(pagePath(path), "utf8");
  const tables = Object.entries(TABLES[path]!);
  return tables.reduce((text, [name, tableFrom]) => withTable(text, tableFrom(result), name), page);
}

function cell(record: BenchRecord | undefined): string {
  if (!record) return "–";
  const time = record.nsPerElement.median;
  const ratio = record.timesOf.step;
  const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
  return ratio === undefined ? digits(time) : `${digits(time)} (${digits(ratio)}×)`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const page of pagesWithTables) {
    const wanted = withTables(page, newestResult());
    if (!process.argv.includes("--check")) writeFileSync(pagePath(page), wanted);
    else if (wanted !== readFileSync(pagePath(page), "utf8")) {
      console.error(`${page} has another table than bench/results gives. Run \`npm run bench:readme\`.`);
      process.exitCode = 1;
    }
  }
}
