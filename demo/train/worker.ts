/** Trains in slices, and listens in between. */
import { canShare } from "../page/isolation.ts";
import type { FromWorker, ToWorker, Weights } from "./messages.ts";
import type { Digits } from "./pack.ts";
import { BATCH, type Settings, Trainer } from "./trainer.ts";

const SLICE_MS = 100;
const STEPS_PER_TEST = 40;
/** Some hundred times through all images: it has learnt what it can, and a page left open stops heating the room. */
const MOST_STEPS = 8000;
const PAGES = { initial: 1, maximum: 256 };

const tell = (message: FromWorker) => postMessage(message);

let digits: Digits | undefined;
let trainer: Trainer | undefined;
let isRunning = false;
let testedAt = 0;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.tell === "begin") begin(data.settings, data.digits);
  else if (data.tell === "settings") trainer!.settings = data.settings;
  else {
    const wasRunning = isRunning;
    isRunning = data.wanted;
    if (isRunning && !wasRunning) slice();
  }
};

function begin(settings: Settings, given: Digits | undefined): void {
  digits = given ?? digits!;
  trainer?.optimizer.dispose();
  const memory = canShare ? new WebAssembly.Memory({ ...PAGES, shared: true }) : undefined;
  trainer = new Trainer(digits, settings, memory);
  testedAt = 0;
  tell({ tell: "begun", ...(memory && { handle: trainer.optimizer.handle }) });
}

function slice(): void {
  if (!isRunning || !trainer) return;
  const start = performance.now();
  const before = trainer.steps;
  let loss = 0;
  do loss += trainer.step();
  while (performance.now() - start < SLICE_MS && trainer.steps < MOST_STEPS);
  const seconds = (performance.now() - start) / 1000;
  const steps = trainer.steps - before;

  const { optimizer, settings } = trainer;
  const isTested = before === 0 || trainer.steps - testedAt >= STEPS_PER_TEST;
  if (isTested) testedAt = trainer.steps;
  tell({
    tell: "progress",
    loss: loss / steps,
    steps: trainer.steps,
    imagesPerSecond: (steps * BATCH) / seconds,
    method: settings.method,
    ...(isTested && { accuracy: trainer.accuracy() }),
    report: optimizer.report(),
    ...(!canShare && { weights: copyOf(optimizer.params) }),
  });
  if (trainer.steps < MOST_STEPS) setTimeout(slice);
  else {
    isRunning = false;
    tell({ tell: "finished" });
  }
}

/** Copies a view, since posting it would post all of its memory. */
function copyOf({ w1, b1, w2, b2 }: Weights): Weights {
  return { w1: w1.slice(), b1: b1.slice(), w2: w2.slice(), b2: b2.slice() };
}
