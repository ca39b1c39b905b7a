/**
 * Learns to read handwritten digits (MNIST) with the RMSprop of this repository, and shows what its WebAssembly
 * updates save beside a plain JavaScript loop.
 *
 *     npm start
 *     npm start -- --epochs 2 --limit 10000 --seed 7 --backend js
 *     npm start -- --rate auto
 *
 * The network has 784 inputs, 128 hidden units and 10 outputs: 101,770 weights. Read on in this order: `train.ts`
 * (the training loop, and the only use of the optimizer), `network.ts` (the gradients), `race.ts` (the stopwatch),
 * and as wanted `data.ts`, `random.ts` and `math.ts`.
 */
import { parseArgs } from "node:util";
import cliProgress from "cli-progress";
import { figuresOf, readResult } from "../tuning/table.ts";
import { loadMnist } from "./data.ts";
import { type EpochReport, RATES, type TrainingOptions, type TrainingReport, train } from "./train.ts";

const USAGE = `Usage: npm start -- [options]
  --epochs N          passes over the training images  (5)
  --limit N           train on the first N images only (60000)
  --seed N            of the initial weights and the shuffling (1)
  --backend wasm|js   what computes the updates (wasm)
  --rate schedule|scheduleFree|auto
                      the learning rate: tuned by hand, averages in place of a schedule, or one that finds itself
                      (schedule)`;

function main(): void {
  const options = parseOptions();
  if (options === undefined) return;

  const start = performance.now();
  const data = loadMnist();
  const images = Math.min(options.limit, data.train.labels.length);
  console.log(`Training on ${count(images)} images, testing on ${count(data.test.labels.length)}.\n`);

  const progress = createProgressBar();
  const report = train(data, { ...options, ...progress });
  summarise(report, (performance.now() - start) / 1000);
}

/** The options; undefined if help was asked for or they make no sense. */
function parseOptions(): TrainingOptions | undefined {
  try {
    const { values } = parseArgs({
      options: {
        epochs: { type: "string", default: "5" },
        limit: { type: "string", default: "60000" },
        seed: { type: "string", default: "1" },
        backend: { type: "string", default: "wasm" },
        rate: { type: "string", default: "schedule" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return undefined;
    }
    const { backend } = values;
    const rate = RATES.find((name) => name === values.rate);
    if (rate === undefined) {
      throw new Error(`--rate is "${values.rate}", expected ${RATES.join(", ")}`);
    }
    if (backend !== "wasm" && backend !== "js") {
      throw new Error(`--backend is "${backend}", expected wasm or js`);
    }
    return {
      epochs: wholeNumber("epochs", values.epochs, 1),
      limit: wholeNumber("limit", values.limit, 1),
      seed: wholeNumber("seed", values.seed, 0),
      backend,
      rate,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
    throw new Error(`--${name} is "${text}", expected a whole number from ${least} up`);
  }
  return value;
}

/** The milliseconds between two lines of a log within an epoch. */
const LOG_MS = 1500;

/** A bar per epoch on a terminal, lines now and then elsewhere, and one line after each epoch on everything. */
function createProgressBar(): Required<Pick<TrainingOptions, "onUpdate" | "onEpoch">> {
  const bar = new cliProgress.SingleBar(
    {
      format: "  [{bar}] {percentage} %   loss {loss}   {eta} s left",
      stream: process.stdout,
      clearOnComplete: true,
      // Training never yields to the event loop, so Ctrl+C must end the process without the bar's help, and the
      // bar must not change the terminal's settings.
      gracefulExit: false,
      linewrap: true,
    },
    cliProgress.Presets.legacy,
  );
  let logged = performance.now();
  return {
    onUpdate(update, updatesPerEpoch, loss) {
      const payload = { loss: loss.toFixed(4) };
      if (!process.stdout.isTTY) {
        if (performance.now() < logged + LOG_MS) return;
        logged = performance.now();
        console.log(`  ${percent(update / updatesPerEpoch)} of the epoch, loss ${payload.loss}`);
        return;
      }
      if (update === 1) bar.start(updatesPerEpoch, 0, payload);
      bar.update(update, payload);
    },
    onEpoch({ epoch, loss, accuracy, seconds }: EpochReport) {
      bar.stop();
      logged = performance.now();
      console.log(
        `epoch ${epoch}   loss ${loss.toFixed(4)}   test accuracy ${percent(accuracy)}   ${seconds.toFixed(1)} s`,
      );
    },
  };
}

function summarise(report: TrainingReport, seconds: number): void {
  const { race } = report;
  const beside = race ? ", and the plain loop beside it" : "";
  console.log(`
test accuracy   ${percent(report.accuracy)}
time            ${seconds.toFixed(1)} s in all: loading, training, testing${beside}
backend         ${report.backend}
updates         ${count(report.updates)}
${race ? comparisonOf(race) : tuningText(report.learnedLr)}
weights         sha256 ${report.digest}`);
}

function comparisonOf({
  optimizer,
  plainLoop,
  largestDifference,
}: NonNullable<TrainingReport["race"]>): string {
  const ratio = plainLoop / optimizer;
  const comparison =
    ratio >= 1 ? `${ratio.toFixed(1)} times as long` : `${(100 * ratio).toFixed(0)} % of that`;
  return `\
  optimizer     ${count(Math.round(optimizer))} ms
  plain loop    ${count(Math.round(plainLoop))} ms, ${comparison}, for the same gradients
                (its weights end up within ${largestDifference.toExponential(0)} of the optimizer's)`;
}

/** The best that a constant rate would have reached, by the tuning bench: on a smaller network, in fewer updates. */
function tuningText(learnedLr: number | undefined): string {
  const { tasks, rates } = readResult();
  const task = tasks.find(({ name }) => name.startsWith("MNIST"))!;
  const { best, free, auto } = figuresOf(task, rates);
  const learned = learnedLr === undefined ? "" : `learned rate    ${learnedLr.toPrecision(3)}\n`;
  return `${learned}\
without tuning  the tuning bench trains ${task.name} for ${task.steps} updates. Its test loss:
  best rate     ${best.loss}, the best of ${rates.length} constant rates (${best.rate})
  scheduleFree  ${free}, at its default rate
  auto          ${auto}`;
}

const count = (value: number) => value.toLocaleString("en");
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

main();
