import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatRecords } from "../tools/records.ts";
import type { Result } from "./result.ts";

const folder = new URL("results/", import.meta.url);

/** Gives the path it was written to. A partial run never takes the place of a complete one. */
export function saveResult(result: Result): string {
  const { machine, date, complete } = result;
  const cpu = machine.cpu.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const parts = [
    date.slice(0, 10),
    ...cpu,
    `node${machine.node.split(".")[0]}`,
    ...(complete ? [] : ["partial"]),
  ];
  const path = fileURLToPath(new URL(`${parts.join("-")}.json`, folder));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, formatRecords(result));
  return path;
}

/** The newest complete run that is kept, whatever its machine. */
export function newestResult(): Result {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const [newest] = names
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Result)
    .filter(({ complete }) => complete)
    .sort((a, b) => b.date.localeCompare(a.date));
  if (!newest)
    throw new Error("bench/results holds no complete run. Run `npm run bench` without options first.");
  return newest;
}
