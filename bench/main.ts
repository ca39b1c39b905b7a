/**
 * The optimizer's worth beside its peers. `npm run bench -- --help` says what can be asked of it.
 *
 * A case is work (`cases.ts`), done in every way that can (`ways/`). `measure.ts` checks and times, `result.ts` makes
 * records of it, `screen.ts` shows them, `goals.ts` judges them, `store.ts` keeps them.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Case, casesFor, contestantsOf, QUICK_CASES } from "./cases.ts";
import { measureFigures } from "./figures.ts";
import { judge } from "./goals.ts";
import { describeMachine, describePackage, whyNotToKeep } from "./machine.ts";
import { type Effort, measure } from "./measure.ts";
import { noiseVerdict } from "./noise.ts";
import { isForReadme, shortTable } from "./readme-table.ts";
import { type BenchRecord, type Figure, type Result, recordsOf } from "./result.ts";
import { figureTable, goalTable, Progress, recordTable } from "./screen.ts";
import { saveResult } from "./store.ts";
import { openWays } from "./ways/index.ts";
import { countOf, sizeTitle, type Work } from "./work.ts";

const FIGURES = "figures";

const usage = `npm run bench -- [options]
  --quick        the README's table at four sizes, in about a minute; all of it takes half an hour
  --mine <file>  your own loop beside the package: export default (param, grad, squareAvg, { lr, alpha, eps }) => { … }
                 over Float32Arrays, and with \`export const formula = "tfjs"\` if eps is added inside the root
  --goals        what the project promises itself, and whether this run kept it
  --only <case>  one case; may be repeated: ${[...casesFor(false).map(({ name }) => name), FIGURES].join(", ")}
  --no-peers     without tf.js, PyTorch and Optax
If PyTorch or Optax is in a Python other than python3, name that in the variable PYTHON.`;

const efforts: Record<"quick" | "full", Effort> = {
  quick: { rounds: 9, batchMilliseconds: 8, warmUpMilliseconds: 100 },
  full: { rounds: 25, batchMilliseconds: 20, warmUpMilliseconds: 300 },
};

type Options = NonNullable<ReturnType<typeof readArguments>>;

/** The arguments, or undefined where help was asked for. */
function readArguments() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      mine: { type: "string" },
      goals: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      "no-peers": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { quick, goals, only, help } = values;
  if (help) return undefined;
  const cases = casesFor(quick);
  const unknown = only.find((name) => name !== FIGURES && !cases.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such case.`);
  const wanted = only.length > 0 ? only : quick ? QUICK_CASES : [...cases.map(({ name }) => name), FIGURES];
  const mine = values.mine === undefined ? undefined : resolve(values.mine);
  return {
    quick,
    goals,
    mine,
    peers: !values["no-peers"],
    complete: !quick && only.length === 0 && !values["no-peers"] && mine === undefined,
    cases: cases.filter(({ name }) => wanted.includes(name)),
    figures: wanted.includes(FIGURES),
  };
}

const progress = new Progress();

/** The part of a title that all rows of a table share: works that are compared have as many elements. */
function headingOf(group: Work[]): string {
  const first = group[0]!;
  return group.length === 1 ? first.title : sizeTitle(countOf(first));
}

/** Prints above the progress line. */
function say(text: string): void {
  progress.clear();
  console.log(text);
}

async function run(options: Options): Promise<Result> {
  const machine = describeMachine();
  say(`${machine.cpu}, ${machine.cores} cores, ${machine.os}, Node ${machine.node}`);
  const { quick, peers, mine, complete } = options;
  const { ways, versions, close } = await openWays({ peers, mine, say });
  const effort = efforts[quick ? "quick" : "full"];
  const built = describePackage();
  try {
    const records: BenchRecord[] = [];
    for (const one of options.cases) {
      say(`\n${one.title}`);
      records.push(...(await runCase(one)));
    }
    const figures = options.figures ? await runFigures() : [];
    const goals = judge(records, figures);
    const date = new Date().toISOString();
    return { date, complete, machine, versions: { ...built, ...versions }, records, figures, goals };
  } finally {
    close();
  }

  async function runCase(one: Case): Promise<BenchRecord[]> {
    const records: BenchRecord[] = [];
    for (const group of one.groups) {
      const heading = headingOf(group);
      const task = `${one.title}: ${heading}`;
      const timed = await measure(contestantsOf(one, group, ways), effort, (detail) =>
        progress.show(task, detail),
      );
      const found = recordsOf(one.name, timed);
      say(`\n${heading}\n${recordTable(found)}`);
      records.push(...found);
    }
    return records;
  }

  async function runFigures(): Promise<Figure[]> {
    const figures = await measureFigures(quick, (detail) => progress.show("The package as a whole", detail));
    say(`\nThe package as a whole\n${figureTable(figures)}`);
    return figures;
  }
}

/** The end of a run: what it comes to, and whether that can be trusted and kept. */
function summarise(result: Result, { goals }: Options): void {
  if (goals) say(`\nGoals\n${goalTable(result.goals)}`);
  if (isForReadme(result)) {
    say(`\nAs the README has it\n\n${shortTable(result)}`);
    say("\nHow to read it: less is faster, and (6.0×) takes six times as long as step() of this package.");
  }
  say(noiseVerdict(result.records));
  const reason = whyNotToKeep();
  say(reason === undefined ? `Written to ${saveResult(result)}` : `Not saved: ${reason}`);
}

/** The arguments, or undefined where there's nothing to run. */
function understandArguments(): Options | undefined {
  try {
    const options = readArguments();
    if (!options) console.log(usage);
    return options;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 1;
    return undefined;
  }
}

const options = understandArguments();
if (options) {
  try {
    const start = performance.now();
    const reason = whyNotToKeep();
    if (reason !== undefined) say(`This run's result won't be saved: ${reason}`);
    summarise(await run(options), options);
    say(`Took ${((performance.now() - start) / 1000).toFixed(0)} s.`);
  } catch (error) {
    // Printed here, since tf.js has a handler of its own, which prints half a megabyte of its source first.
    progress.clear();
    console.error(error);
    process.exitCode = 1;
  }
}
