/**
 * The table of the tuning bench, and whether its figures are as good as promised.
 * `tsx examples/tuning/table.ts` writes it into the page; with `--check` it only says whether the page has it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pagePath, tableOf, withTable } from "../../tools/readme-tables.ts";
import { DEFAULT_RATE, type TaskResult, type TuningResult } from "./result.ts";

export const resultFile = new URL("../../bench/results/tuning/result.json", import.meta.url);
export const PAGE = "docs/no-tuning.md";

export const readResult = (): TuningResult => JSON.parse(readFileSync(resultFile, "utf8"));

/** The lowest loss, and the rate it is of. */
export function bestOf(losses: readonly (number | null)[], rates: readonly number[]) {
  const at = losses.reduce<number>(
    (best, loss, i) => ((loss ?? Infinity) < (losses[best] ?? Infinity) ? i : best),
    0,
  );
  return { loss: losses[at]!, rate: rates[at]!, at };
}

/** The numbers that the page speaks of, for one task. */
export function figuresOf({ losses, auto, autoScheduleFree }: TaskResult, rates: readonly number[]) {
  const best = bestOf(losses.constant, rates);
  const neighbours = [best.at - 1, best.at + 1]
    .filter((at) => at >= 0 && at < rates.length)
    .map((at) => losses.constant[at] ?? Infinity);
  return {
    best,
    cosine: bestOf(losses.cosine, rates),
    free: losses.scheduleFree[rates.indexOf(DEFAULT_RATE)] ?? Infinity,
    freeBest: bestOf(losses.scheduleFree, rates),
    auto: auto ?? Infinity,
    autoFree: autoScheduleFree ?? Infinity,
    worseNeighbour: Math.max(...neighbours),
  };
}

const short = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(3)).toString() : "–");
const withRate = ({ loss, rate }: { loss: number; rate: number }) => `${short(loss)} at ${rate}`;

export function tuningTable({ tasks, rates, seeds, cpu, node, date, seconds }: TuningResult): string {
  const figures = tasks.map((task) => ({ task, ...figuresOf(task, rates) }));
  const rows = figures.map(({ task, best, cosine, free, freeBest, auto, autoFree }) => [
    `${task.name}, ${task.steps} steps`,
    withRate(best),
    withRate(cosine),
    `${short(free)} (${(free / best.loss).toFixed(2)}×)`,
    withRate(freeBest),
    `${short(auto)} (${(auto / best.loss).toFixed(2)}×)`,
    short(autoFree),
  ]);
  const count = (test: (one: (typeof figures)[number]) => boolean) => figures.filter(test).length;
  const within = count(({ free, best }) => free <= 1.15 * best.loss);
  const below = count(({ free, best }) => free < best.loss);
  const autoFits = count(({ auto, worseNeighbour }) => auto <= worseNeighbour);
  const head = [
    "",
    "best constant rate",
    "best rate with a cosine",
    "`scheduleFree` at 0.01, the default",
    "`scheduleFree`, best rate",
    '`lr: "auto"`',
    "`auto` and `scheduleFree`",
  ];
  return [
    tableOf([head, ...rows]),
    "",
    ...shortRuns(tasks, rates),
    `Loss on data that the training didn't see, the mean of ${seeds.length} seeds; lower is better. In brackets, times the best constant rate's. \`scheduleFree\` at the default rate is within 1.15 times the best of nine constant rates on ${within} of ${tasks.length} tasks, and below it on ${below}. \`auto\`, with \`biasCorrection\`, is no worse than the worse of the two rates beside the best on ${autoFits} of ${tasks.length}. ${cpu}, Node ${node}, ${date.slice(0, 10)}, ${seconds} s.`,
  ].join("\n");
}

/** Runs that are too short for the default rate: a line for each. */
function shortRuns(tasks: readonly TaskResult[], rates: readonly number[]): string[] {
  const rows = tasks.flatMap(({ name, short: run }) => {
    if (!run) return [];
    const best = bestOf(run.constant, rates);
    const atDefault = run.constant[rates.indexOf(DEFAULT_RATE)] ?? Infinity;
    const free = run.scheduleFree ?? Infinity;
    const times = `${short(free)} (${(free / best.loss).toFixed(2)}×)`;
    return [[`${name}, ${run.steps} steps`, withRate(best), short(atDefault), times]];
  });
  if (rows.length === 0) return [];
  const head = [
    "stopped too early",
    "best constant rate",
    "constant at 0.01",
    "`scheduleFree` at 0.01, the default",
  ];
  return [tableOf([head, ...rows]), ""];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = readFileSync(pagePath(PAGE), "utf8");
  const wanted = withTable(page, tuningTable(readResult()), "tuning");
  if (!process.argv.includes("--check")) writeFileSync(pagePath(PAGE), wanted);
  else if (wanted !== page) {
    console.error(
      `${PAGE} has another table than ${resultFile.pathname} gives. Run \`npm run bench:tuning:page\`.`,
    );
    process.exitCode = 1;
  }
}
