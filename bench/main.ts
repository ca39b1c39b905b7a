/**
 * What the optimizer is worth beside its peers. `npm run bench -- --help` says what can be asked of it.
 *
 * A case is work (`cases.ts`), done in every way that can (`ways/`). `measure.ts` checks and times, `result.ts` makes
 * records of it, `screen.ts` shows them, `goals.ts` judges them, `store.ts` keeps them.
 */
import { parseArgs } from "node:util";
import { type Case, casesFor, contestantsOf } from "./cases.ts";
import { measureFigures } from "./figures.ts";
import { judge } from "./goals.ts";
import { describeMachine, describePackage } from "./machine.ts";
import { type Effort, measure } from "./measure.ts";
import { type BenchRecord, type Figure, type Result, recordsOf } from "./result.ts";
import { figureTable, goalTable, Progress, recordTable } from "./screen.ts";
import { saveResult } from "./store.ts";
import { openWays } from "./ways/index.ts";
import { countOf, sizeTitle, type Work } from "./work.ts";

const FIGURES = "figures";

const usage = `npm run bench -- [options]
  --quick        fewer sizes and rounds, a minute and a half
  --only <case>  one case; may be repeated: ${[...casesFor(false).map(({ name }) => name), FIGURES].join(", ")}
  --no-peers     without tf.js and PyTorch
Where PyTorch is in a Python other than python3, name it in the variable PYTHON.`;

const efforts: Record<"quick" | "full", Effort> = {
  quick: { rounds: 9, batchMilliseconds: 8, warmUpMilliseconds: 100 },
  full: { rounds: 25, batchMilliseconds: 20, warmUpMilliseconds: 300 },
};

function readArguments() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      "no-peers": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { quick, only, help } = values;
  const cases = casesFor(quick);
  const unknown = only.find((name) => name !== FIGURES && !cases.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such case.`);
  const isWanted = (name: string) => only.length === 0 || only.includes(name);
  return {
    help,
    quick,
    peers: !values["no-peers"],
    complete: !quick && only.length === 0 && !values["no-peers"],
    cases: cases.filter(({ name }) => isWanted(name)),
    figures: isWanted(FIGURES),
  };
}

const progress = new Progress();

/** What all rows of a table have in common: works that are compared have as many elements. */
function headingOf(group: Work[]): string {
  const first = group[0]!;
  return group.length === 1 ? first.title : sizeTitle(countOf(first));
}

/** On the screen, above the progress line. */
function say(text: string): void {
  progress.clear();
  console.log(text);
}

async function run(options: ReturnType<typeof readArguments>): Promise<Result> {
  const machine = describeMachine();
  say(`${machine.cpu}, ${machine.cores} cores, ${machine.os}, Node ${machine.node}`);
  const { ways, versions, close } = openWays(options.peers, say);
  const effort = efforts[options.quick ? "quick" : "full"];
  try {
    const records: BenchRecord[] = [];
    for (const one of options.cases) {
      say(`\n${one.title}`);
      records.push(...(await runCase(one)));
    }
    const figures = options.figures ? await runFigures() : [];
    const goals = judge(records, figures);
    say(`\nGoals\n${goalTable(goals)}`);
    const { complete } = options;
    const date = new Date().toISOString();
    return {
      date,
      complete,
      machine,
      versions: { ...describePackage(), ...versions },
      records,
      figures,
      goals,
    };
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
    progress.show("Sizes, first step, heap");
    const figures = await measureFigures(options.quick);
    say(`\nThe package as a whole\n${figureTable(figures)}`);
    return figures;
  }
}

/** The arguments, or undefined where there's nothing to run. */
function understandArguments() {
  try {
    const options = readArguments();
    if (!options.help) return options;
    console.log(usage);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 1;
  }
  return undefined;
}

const options = understandArguments();
if (options) {
  try {
    say(`\nWritten to ${saveResult(await run(options))}`);
  } catch (error) {
    // Not left to Node: tf.js has a handler of its own, which prints half a megabyte of its source first.
    progress.clear();
    console.error(error);
    process.exitCode = 1;
  }
}
