/**
 * Mutation tests file by file: `npm run mutate -- src/optimizer/group.ts …`, or of all files of the wings in `SUITES`. Each file
 * is judged by its wing's own quick tests: with all tests of the sources, one file takes longer than the tree does this way,
 * and hardly a mutant more is killed. Scores are printed; survivors are listed in `build/mutation/`, beside Stryker's reports.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const REPORTS = "build/mutation";

/** The tests that judge each wing. One that takes ten seconds is in only where it has something of its own to say. */
const SUITES: Readonly<Record<string, RegExp>> = {
  "src/memory": /memory\/|optimizer\/(shard|initial-values)/,
  "src/kernel": /kernel\/|optimizer\/optimizer/,
  "src/options": /options\/|optimizer\/(?!rows|state-dict|float64)/,
  "src/optimizer": /optimizer\/|options\/|memory\/growth/,
  "src/checkpoint": /checkpoint\//,
  "src/threads": /threads\//,
};
/** The tests of single files, where a few of the wing's say all: minutes in place of a quarter of an hour. */
const OF_FILES: Readonly<Record<string, RegExp>> = {
  "src/checkpoint/entry.ts": /checkpoint\/(malformed|limits|foreign-files)/,
  "src/checkpoint/json.ts": /checkpoint\/(malformed|limits|lerobot)/,
  "src/checkpoint/safetensors.ts": /checkpoint\/(malformed|limits|checkpoint)\./,
  "src/memory/ranges.ts": /memory\/(adopted|failed-core|core-rows)/,
  "src/optimizer/norms.ts": /optimizer\/(optimizer|gradients|shard|float64)/,
  "src/optimizer/progress.ts": /optimizer\/(shard|handle|state-dict)/,
  "src/optimizer/weights.ts": /optimizer\/schedule-free/,
};
/** Tests that see no mutant, being about a compiler, garbage or other processes, or that would take minutes for each. */
const LEFT_OUT =
  /(binary|kernel\/rows|freed|many|members|foreign-modules|lacking|dying|everywhere)\.test\.ts$/;
const TESTS = ["memory", "kernel", "options", "optimizer", "checkpoint", "threads"];

/** Files of a folder by their paths, in order. */
const filesIn = (folder: string, pattern: RegExp) =>
  readdirSync(root + folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);

interface Mutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

/** Tests one file's mutants, and gives how many there are of each status. */
function mutate(file: string): Record<string, number> {
  const wing = Object.keys(SUITES).find((wing) => file.startsWith(`${wing}/`));
  if (!wing) throw new Error(`${file} is in none of ${Object.keys(SUITES).join(", ")}`);
  const name = file.replace(/^src\//, "").replaceAll("/", "-");
  const report = `${REPORTS}/${name}.json`;
  const config = `${REPORTS}/${name}.config.json`;
  const base = JSON.parse(readFileSync(`${root}test/mutation/stryker.config.json`, "utf8"));
  const options = { ...base, mutate: [file], jsonReporter: { fileName: report } };
  writeFileSync(root + config, JSON.stringify(options));
  const tests = TESTS.flatMap((folder) => filesIn(`test/${folder}`, /\.test\.ts$/)).filter(
    (path) => (OF_FILES[file] ?? SUITES[wing]!).test(path) && !LEFT_OUT.test(path),
  );
  const { status } = spawnSync("test/mutation/node_modules/.bin/stryker", ["run", config], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, MUTATION_TESTS: tests.join() },
  });
  if (status !== 0) throw new Error(`Stryker ended with ${status} on ${file}`);
  const { files } = JSON.parse(readFileSync(root + report, "utf8"));
  const { mutants, source } = files[file] as { mutants: Mutant[]; source: string };
  const lines = source.split("\n");
  const survivors = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const told = survivors.map(({ location: { start }, status, mutatorName, replacement }) =>
    [
      `${file}:${start.line}:${start.column} ${status} ${mutatorName}`,
      lines[start.line - 1],
      replacement,
    ].join("\n"),
  );
  writeFileSync(`${root}${REPORTS}/${name}.survivors.txt`, `${told.join("\n\n")}\n`);
  const counts: Record<string, number> = {};
  for (const { status } of mutants) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

mkdirSync(root + REPORTS, { recursive: true });
const asked = process.argv.slice(2);
const all = Object.keys(SUITES).flatMap((wing) => filesIn(wing, /^[^.]+\.ts$/));
const scores: Record<string, object> = {};
for (const file of asked.length > 0 ? asked : all) {
  scores[file] = mutate(file);
  console.table(scores);
}
