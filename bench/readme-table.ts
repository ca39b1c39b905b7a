/**
 * Writes the README's tables from the newest complete result in `bench/results`, each between two marker comments.
 * `node --import tsx bench/readme-table.ts` writes it; with `--check` it only says whether the README has it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readmePath, tableOf, withTable } from "../tools/readme-tables.ts";
import { README_WAYS } from "./cases.ts";
import type { BenchRecord, Result } from "./result.ts";
import { newestResult } from "./store.ts";
import { sizeTitle } from "./work.ts";

const SIZES = [2 ** 10, 2 ** 14, 2 ** 18, 2 ** 20, 2 ** 24];

/** Nanoseconds per element by way and size, and where they were measured. */
export function readmeTable({ records, machine, versions, date }: Result): string {
  const sizes = records.filter((record) => record.case === "sizes");
  const present = SIZES.filter((size) => sizes.some(({ count }) => count === size));
  const rows = README_WAYS.flatMap((way) => {
    const ofWay = sizes.filter((record) => record.way === way);
    const title = ofWay[0]?.title;
    return title ? [[title, ...present.map((size) => cell(ofWay.find(({ count }) => count === size)))]] : [];
  });
  const software = [`Node ${machine.node}`, ...(versions.tfjs ? [`tf.js ${versions.tfjs}`] : [])];
  return [
    tableOf([["ns per element", ...present.map(sizeTitle)], ...rows]),
    "",
    `Medians; in brackets how many times the time of \`step()\`. ${machine.cpu}, ${machine.cores} cores, ${machine.os}; ${software.join(", ")}; ${date.slice(0, 10)}.`,
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

/** The README with all its tables. */
export function withTables(readme: string, result: Result): string {
  return withTable(withTable(readme, readmeTable(result), "bench"), variantTable(result), "bench:variants");
}

function cell(record: BenchRecord | undefined): string {
  if (!record) return "–";
  const time = record.nsPerElement.median;
  const ratio = record.timesOf.step;
  const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
  return ratio === undefined ? digits(time) : `${digits(time)} (${digits(ratio)}×)`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = readFileSync(readmePath, "utf8");
  const wanted = withTables(readme, newestResult());
  if (!process.argv.includes("--check")) writeFileSync(readmePath, wanted);
  else if (wanted !== readme) {
    console.error("README.md has another table than bench/results gives. Run `npm run bench:readme`.");
    process.exitCode = 1;
  }
}
