/**
 * Mutation tests: `npm run mutate -- src/optimizer src/options/scalars.ts …`, by wings or files, all of one wing in one run. Scores
 * are printed; survivors are listed in `build/mutation/`. Stryker makes the mutants; [runner.ts](runner.ts) judges them.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { FOLDER, LOG, root, SOURCES } from "./places.ts";

const of = (wing: string) => (name: string) => `${wing}/${name}`;
/**
 * The files of tests that judge each wing, those first that find most in the least time. Left out are those which see no mutant,
 * being about a compiler, garbage or other processes, and those which make a thousand calls that fail, where hundreds of
 * others fail by the same checks.
 */
const SUITES: Readonly<Record<string, readonly string[]>> = {
  "src/options": [
    "golden/golden",
    "golden/rows",
    "golden/learned",
    "options/messages",
    "options/errors",
    "options/mistakes",
    "options/surplus",
    "options/dialects",
    ..."optimizer gradients averages learned rowwise schedule-free handle shard rows-lists rows-refused rows-saved rows-long-missed"
      .split(" ")
      .map(of("optimizer")),
    "memory/adopted",
  ],
  "src/optimizer": [
    ..."gradients averages handle optimizer shard initial-values schedule-free rowwise learned report report-median bad-state-dict state-dict"
      .split(" ")
      .map(of("optimizer")),
    ..."rows-norms rows-refused rows-lists rows-saved rows-shares".split(" ").map(of("optimizer")),
    "options/errors",
    "options/surplus",
    "memory/adopted",
    "golden/golden",
  ],
  // Not `limits`: headers of 100 MB pass through the reader's mutants a hundred million times, which takes minutes.
  "src/checkpoint": [
    ..."headers json fresh records malformed foreign-files carried lerobot chunks"
      .split(" ")
      .map(of("checkpoint")),
    "optimizer/rows-saved",
    ..."growing atomic-calls atomic-write checkpoint".split(" ").map(of("checkpoint")),
    "checkpoint/proxies",
    "options/surplus",
  ],
  "src/kernel": [
    ..."compile fallback formula learned properties rows".split(" ").map(of("kernel")),
    ..."rowwise optimizer learned schedule-free rows-lists float64".split(" ").map(of("optimizer")),
    ..."reservation growth adopted".split(" ").map(of("memory")),
    "golden/rows",
    "golden/learned",
  ],
  "src/memory": [
    "memory/adopted",
    "memory/core-rows",
    "memory/reservation",
    "memory/lacking",
    "optimizer/initial-values",
    "optimizer/shard",
    "optimizer/averages",
    "optimizer/handle",
    "optimizer/rows-lists",
    "optimizer/optimizer",
    "memory/growth",
  ],
  "src/base": [
    "kernel/power",
    "options/messages",
    "options/errors",
    "options/mistakes",
    "options/surplus",
    ..."initial-values float64 averages learned handle rowwise schedule-free report state-dict"
      .split(" ")
      .map(of("optimizer")),
    "memory/adopted",
  ],
  // Those with real workers take seconds, and many mutants hang in them: `threads`, `dying`, `rows` and `everywhere` are left out.
  // `spawning` loads its modules anew, so that nothing is left behind by a mutant in the counts of workers.
  "src/threads": "protocol spawning starting helpers shares given-up".split(" ").map(of("threads")),
};

/** The files of a wing by their paths, in order: its entry, if it has one, and its folder without what is generated. */
const filesOf = (wing: string) => {
  const inside = readdirSync(root + wing)
    .filter((name) => /^[^.]+\.ts$/.test(name))
    .sort()
    .map(of(wing));
  return existsSync(`${root}${wing}.ts`) ? [`${wing}.ts`, ...inside] : inside;
};

interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

/** The condition by which an instrumented source asks whether a mutant is on. Stryker's knows one at a time. */
const ASKS = /if \(ns\.activeMutant === id\) \{[^}]*\}[^}]*\}/;
const ASKS_RUNNER = "if (ns.isOn?.(id)) return true;";

/** Makes the mutants of some files. */
async function mutantsOf(files: readonly string[]) {
  // A lock of its own holds this package: see `package.json` beside.
  const name: string = "@stryker-mutator/instrumenter";
  const { Instrumenter } = await import(name);
  const logger = { debug() {}, info() {}, isDebugEnabled: () => false };
  const inputs = files.map((name) => ({ name, mutate: true, content: readFileSync(root + name, "utf8") }));
  const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: false };
  const made = await new Instrumenter(logger).instrument(inputs, options);
  const { files: sources, mutants } = made as {
    readonly files: { name: string; content: string }[];
    readonly mutants: Mutant[];
  };
  return {
    mutants,
    inputs,
    sources: Object.fromEntries(
      sources.map(({ name, content }) => [name, content.replace(ASKS, ASKS_RUNNER)]),
    ),
  };
}

/**
 * Milliseconds that a test may take to judge mutants, and how many of those run together: first the quick tests, then all, for
 * what is left. At last the quick ones judge one by one what has lived in groups.
 */
const ROUNDS = [
  { light: 25, largest: 256 },
  { light: 500, largest: 256 },
  { light: Infinity, largest: 256 },
  { light: 25, largest: 1 },
] as const;
type Round = (typeof ROUNDS)[number];

/** Ends processes in loops that pass no mutant, and notes by which one they hang; each of a group runs alone from then on. */
function endHanging(): void {
  for (const name of readdirSync(FOLDER).filter((name) => name.startsWith("now-"))) {
    const text = readFileSync(FOLDER + name, "utf8").trim();
    if (!text) continue;
    const { group, key, until, isCheck } = JSON.parse(text);
    if (Date.now() < until) continue;
    const [mutant] = group;
    const one = isCheck ? { suspect: mutant, by: key } : { mutant, status: "TimedOut", by: key };
    const found = group.length > 1 ? { alone: group } : one;
    writeFileSync(LOG, `${JSON.stringify(found)}\n`, { flag: "a" });
    writeFileSync(FOLDER + name, "");
    process.kill(Number(name.slice("now-".length)), "SIGKILL");
  }
}

/**
 * The seconds that a test may take with a mutant beyond what it takes without: fewer where a mutant mostly hangs and tests wait
 * for nothing but workers.
 */
const secondsOf = (wing: string) => (wing === "src/threads" ? 1 : 10);

/** Has the tests judge what the log leaves open. */
async function judge(tests: readonly string[], { light, largest }: Round, seconds: number): Promise<void> {
  const child = spawn("npx", ["vitest", "run", "--config", "test/mutation/vitest.config.ts", "--silent"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      CI: "1",
      MUTATION_TESTS: tests.join(),
      MUTATION_LIGHT: String(light),
      MUTATION_LARGEST: String(largest),
      MUTATION_SECONDS: String(seconds),
    },
  });
  const watch = setInterval(endHanging, 500);
  await new Promise((resolve) => child.once("exit", resolve));
  clearInterval(watch);
}

const read = () =>
  readFileSync(LOG, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** Judges the mutants of files of one wing. */
async function mutate(wing: string, files: readonly string[]) {
  const { sources, mutants, inputs } = await mutantsOf(files);
  writeFileSync(SOURCES, JSON.stringify(sources));
  if (!goesOn) writeFileSync(LOG, "");
  const tests = SUITES[wing]!.map((name) => `test/${name}.test.ts`);
  for (const round of ROUNDS.filter(({ light }) => light <= most)) {
    for (let before = -1; ; ) {
      const found = read();
      const done = new Set(found.map(({ done }) => done));
      const open = tests.filter((path) => !done.has(`${path} ${round.light} ${round.largest}`));
      if (open.length === 0) break;
      if (found.length === before) throw new Error(`Nothing was found by ${open.join()}`);
      before = found.length;
      await judge(open, round, secondsOf(wing));
    }
  }
  const found = read();
  const names = <K extends string>(key: K) => found.flatMap((entry) => entry[key] ?? []) as string[];
  const dead = new Map(
    found.filter(({ status }) => status).map(({ mutant, status }) => [mutant, status as string]),
  );
  const ran = new Set(names("ran"));
  const atLoad = new Set(names("atLoad"));
  const statusOf = ({ id }: Mutant) =>
    dead.get(id) ?? (ran.has(id) ? "Survived" : atLoad.has(id) ? "AtLoad" : "NotRun");
  for (const { name: file, content } of inputs) {
    const lines = content.split("\n");
    const counts: Record<string, number> = {};
    const told: string[] = [];
    for (const mutant of mutants.filter(({ fileName }) => fileName === file)) {
      const status = statusOf(mutant);
      counts[status] = (counts[status] ?? 0) + 1;
      if (dead.has(mutant.id)) continue;
      // Stryker counts lines and columns from 0.
      const { line, column } = mutant.location.start;
      told.push(
        `${file}:${line + 1}:${column + 1} ${status} ${mutant.mutatorName}`,
        lines[line]!,
        mutant.replacement,
        "",
      );
    }
    scores[file] = counts;
    writeFileSync(
      `${FOLDER}${file.replace(/^src\//, "").replaceAll("/", "-")}.survivors.txt`,
      told.join("\n"),
    );
  }
  for (const { unrepeatable, failing } of found) {
    if (unrepeatable) console.log(`Judges nothing, since it passes but once: ${unrepeatable}`);
    if (failing) console.log(`Fails without mutants: ${failing}`);
  }
  console.table(scores);
}

mkdirSync(FOLDER, { recursive: true });
for (const name of readdirSync(FOLDER).filter((name) => name.startsWith("now-"))) rmSync(FOLDER + name);
const asked = process.argv.slice(2).filter((word) => !word.startsWith("--"));
/** Whether the last run, of the same mutants, goes on from where it was ended. */
const goesOn = process.argv.includes("--continue");
/** The round that is the last: with `--quick`, tests of more than half a second judge nothing. */
const most = process.argv.includes("--quick") ? 500 : Infinity;
const scores: Record<string, object> = {};
for (const wing of Object.keys(SUITES)) {
  const files = filesOf(wing).filter(
    (file) => asked.length === 0 || asked.includes(wing) || asked.includes(file),
  );
  if (files.length > 0) await mutate(wing, files);
}
