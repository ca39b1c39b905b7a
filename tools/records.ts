import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Result } from "../bench/result.ts";

const folder = new URL("../bench/results/", import.meta.url);

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

/** A line for each record, so that a change of one shows as one. */
export function formatRecords(result: object): string {
  const fields = Object.entries(result).map(([name, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((one) => `    ${JSON.stringify(one)}`).join(",\n")}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${fields.join(",\n")}\n}\n`;
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
