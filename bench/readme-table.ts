/**
 * Writes the README's table from the newest complete result in `bench/results`, between two marker comments.
 * `node --import tsx bench/readme-table.ts` writes it; with `--check` it only says whether the README has it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BenchRecord, Result } from "./result.ts";
import { newestResult } from "./store.ts";
import { sizeTitle } from "./work.ts";

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";
const SIZES = [2 ** 10, 2 ** 14, 2 ** 18, 2 ** 20, 2 ** 24];
const WAYS = ["step", "scalar", "plain", "simple", "tfjs-wasm", "tfjs-cpu", "torch", "streams"];

export const readmePath = fileURLToPath(new URL("../README.md", import.meta.url));

/** Nanoseconds per element by way and size, and where they were measured. */
export function readmeTable({ records, machine, versions, date }: Result): string {
  const sizes = records.filter((record) => record.case === "sizes");
  const present = SIZES.filter((size) => sizes.some(({ count }) => count === size));
  const rows = WAYS.flatMap((way) => {
    const ofWay = sizes.filter((record) => record.way === way);
    const title = ofWay[0]?.title;
    return title ? [[title, ...present.map((size) => cell(ofWay.find(({ count }) => count === size)))]] : [];
  });
  const head = ["ns per element", ...present.map(sizeTitle)];
  const rule = head.map((_, i) => (i === 0 ? "---" : "--:"));
  const software = [`Node ${machine.node}`, ...(versions.tfjs ? [`tf.js ${versions.tfjs}`] : [])];
  return [
    ...[head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`),
    "",
    `Medians; in brackets how many times the time of \`step()\`. ${machine.cpu}, ${machine.cores} cores, ${machine.os}; ${software.join(", ")}; ${date.slice(0, 10)}.`,
  ].join("\n");
}

/** The README with the table between its markers. */
export function withTable(readme: string, table: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error(`The README lacks ${START} … ${END}, where the table goes.`);
  return `${readme.slice(0, start + START.length)}\n${table}\n${readme.slice(end)}`;
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
  const wanted = withTable(readme, readmeTable(newestResult()));
  if (!process.argv.includes("--check")) writeFileSync(readmePath, wanted);
  else if (wanted !== readme) {
    console.error("README.md has another table than bench/results gives. Run `npm run bench:readme`.");
    process.exitCode = 1;
  }
}
