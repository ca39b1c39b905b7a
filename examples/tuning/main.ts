/**
 * The tuning bench: six small trainings at nine rates, with the rate constant, by a cosine, with `scheduleFree`, and with
 * `lr: "auto"`, three seeds each. It writes the result to `bench/results/tuning` and prints the table.
 *
 *     npm run bench:tuning
 *     npm run bench:tuning -- --only sine --dry
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { RATES, type TaskResult, type TuningResult } from "./result.ts";
import { runTask, SEEDS } from "./run.ts";
import { resultFile, tuningTable } from "./table.ts";
import { TASKS } from "./tasks.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, dry: { type: "boolean", default: false } },
});
const start = performance.now();
const tasks: TaskResult[] = [];
for (const make of TASKS) {
  if (values.only && !make.name.toLowerCase().includes(values.only.toLowerCase())) continue;
  const from = performance.now();
  tasks.push(runTask(make));
  console.error(`${tasks.at(-1)!.name}: ${((performance.now() - from) / 1000).toFixed(0)} s`);
}
const result: TuningResult = {
  date: new Date().toISOString(),
  node: process.versions.node,
  cpu: cpus()[0]!.model,
  seconds: Math.round((performance.now() - start) / 1000),
  seeds: SEEDS,
  rates: RATES,
  tasks,
};
if (!values.dry && !values.only) {
  mkdirSync(new URL(".", resultFile), { recursive: true });
  writeFileSync(resultFile, `${JSON.stringify(result, null, 1)}\n`);
}
console.log(tuningTable(result));
