/** Trains both networks in slices, a step of each in turn, and listens in between. */
import { canShare } from "../page/isolation.ts";
import type { FromWorker, RunProgress, ToWorker, Weights } from "./messages.ts";
import type { Digits } from "./pack.ts";
import { BATCH, METHODS, type Method, type Rates, Trainer } from "./trainer.ts";

const SLICE_MS = 100;
const STEPS_PER_TEST = 40;
/** Some hundred times through all images: it has learnt what it can, and a page left open stops heating the room. */
const MOST_STEPS = 8000;
const PAGES = { initial: 1, maximum: 256 };

const tell = (message: FromWorker) => postMessage(message);

let digits: Digits | undefined;
let trainers: Record<Method, Trainer> | undefined;
let isRunning = false;
let steps = 0;
let testedAt = 0;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.tell === "begin") begin(data.rates, data.digits);
  else if (data.tell === "rates") for (const method of METHODS) trainers![method].lr = data.rates[method];
  else {
    const wasRunning = isRunning;
    isRunning = data.wanted;
    if (isRunning && !wasRunning) slice();
  }
};

const eachMethod = <Value>(give: (method: Method) => Value) =>
  Object.fromEntries(METHODS.map((method) => [method, give(method)])) as Record<Method, Value>;

function begin(rates: Rates, given: Digits | undefined): void {
  digits = given ?? digits!;
  const all = digits;
  for (const method of METHODS) trainers?.[method].optimizer.dispose();
  const started = eachMethod((method) => {
    const memory = canShare ? new WebAssembly.Memory({ ...PAGES, shared: true }) : undefined;
    return new Trainer(method, all, rates[method], memory);
  });
  trainers = started;
  steps = testedAt = 0;
  tell({
    tell: "begun",
    ...(canShare && { handles: eachMethod((method) => started[method].optimizer.handle) }),
  });
}

function slice(): void {
  if (!isRunning || !trainers) return;
  const sound = METHODS.map((method) => trainers![method]).filter(({ broken }) => !broken);
  const start = performance.now();
  const before = steps;
  const sums = new Map(sound.map((trainer) => [trainer.method, { loss: 0, steps: 0 }]));
  do {
    for (const trainer of sound) {
      if (trainer.broken) continue;
      const sum = sums.get(trainer.method)!;
      sum.loss += trainer.step();
      sum.steps++;
    }
    steps++;
  } while (
    performance.now() - start < SLICE_MS &&
    steps < MOST_STEPS &&
    sound.some(({ broken }) => broken === undefined)
  );
  const seconds = (performance.now() - start) / 1000;
  const isTested = before === 0 || steps - testedAt >= STEPS_PER_TEST;
  if (isTested) testedAt = steps;
  const images = BATCH * [...sums.values()].reduce((sum, one) => sum + one.steps, 0);
  tell({
    tell: "progress",
    steps,
    imagesPerSecond: images / seconds,
    runs: eachMethod((method) => progressOf(trainers![method], sums.get(method), isTested)),
  });
  if (steps < MOST_STEPS && sound.some(({ broken }) => broken === undefined)) setTimeout(slice);
  else {
    isRunning = false;
    tell({ tell: "finished" });
  }
}

function progressOf(
  trainer: Trainer,
  sum: { loss: number; steps: number } | undefined,
  isTested: boolean,
): RunProgress {
  const { optimizer, broken } = trainer;
  return {
    ...(sum && { loss: sum.loss / sum.steps }),
    ...(isTested && sum && { accuracy: trainer.accuracy() }),
    ...(broken && { broken }),
    report: optimizer.report(),
    ...(!canShare && { weights: copyOf(optimizer.params) }),
  };
}

/** Copies a view, since posting it would post all of its memory. */
function copyOf({ w1, b1, w2, b2 }: Weights): Weights {
  return { w1: w1.slice(), b1: b1.slice(), w2: w2.slice(), b2: b2.slice() };
}
