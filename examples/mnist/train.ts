/**
 * Trains the network with the RMSprop of this repository. Equal options give equal weights, to the bit, on every
 * machine, with every engine and with either backend; `digest` tells.
 */
import { createHash } from "node:crypto";
import { type Options, RMSprop } from "rmsprop-wasm";
import { CLASSES, type DataSet, PIXELS } from "./digits.ts";
import { accumulateGradients, accuracy, initialise, shapes } from "./network.ts";
import { Race } from "./race.ts";
import { seededRandom, shuffle } from "./random.ts";

export interface TrainingOptions {
  epochs: number;
  /** Train on the first so many images only. */
  limit: number;
  seed: number;
  backend: "wasm" | "js";
  /** The learning rate: a schedule that was tuned by hand, or one of the two that need no tuning. */
  rate?: Rate;
  /** Called after each update, with the mean loss of the epoch so far. */
  onUpdate?: (update: number, updatesPerEpoch: number, loss: number) => void;
  onEpoch?: (epoch: EpochReport) => void;
}

export const RATES = ["schedule", "scheduleFree", "auto"] as const;
export type Rate = (typeof RATES)[number];

export interface EpochReport {
  epoch: number;
  loss: number;
  accuracy: number;
  seconds: number;
}

export interface TrainingReport {
  accuracy: number;
  backend: string;
  updates: number;
  /** The plain loop beside the optimizer, which has a schedule of its rate alone. */
  race: { optimizer: number; plainLoop: number; largestDifference: number } | undefined;
  /** With the rate "auto". */
  learnedLr: number | undefined;
  digest: string;
}

const HIDDEN = 128;
const BATCH = 64;
const LEARNING_RATE = 2e-3;

export function train(data: { train: DataSet; test: DataSet }, options: TrainingOptions): TrainingReport {
  const { epochs, limit, seed, backend, rate = "schedule", onUpdate, onEpoch } = options;
  const random = seededRandom(seed);

  const order = Uint32Array.from({ length: Math.min(limit, data.train.labels.length) }, (_, i) => i);
  const updatesPerEpoch = Math.ceil(order.length / BATCH);
  // Down to zero in a straight line: the last updates settle what the first ones have found.
  const lr = (step: number) => LEARNING_RATE * (1 - step / (epochs * updatesPerEpoch));

  const rates: Record<Rate, Options> = {
    schedule: { lr },
    scheduleFree: { scheduleFree: true },
    auto: { lr: "auto", biasCorrection: true },
  };
  const optimizer = new RMSprop(shapes(PIXELS, HIDDEN, CLASSES), { ...rates[rate], backend });
  initialise(optimizer.params, random);
  const race = rate === "schedule" ? new Race(optimizer, lr) : undefined;
  let testAccuracy = 0;

  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = performance.now();
    shuffle(order, random);
    let loss = 0;
    for (let update = 1; update <= updatesPerEpoch; update++) {
      const batch = order.subarray((update - 1) * BATCH, update * BATCH);
      optimizer.zeroGrad();
      loss += accumulateGradients(optimizer.params, optimizer.grads, data.train, batch);
      if (race)
        race.update(); // calls optimizer.step(), with a stopwatch
      else optimizer.step();
      onUpdate?.(update, updatesPerEpoch, loss / update);
    }
    // With scheduleFree, the average is what has learned.
    if (rate === "scheduleFree") optimizer.eval();
    testAccuracy = accuracy(optimizer.params, data.test);
    if (rate === "scheduleFree" && epoch < epochs) optimizer.train();
    const seconds = (performance.now() - start) / 1000;
    onEpoch?.({ epoch, loss: loss / updatesPerEpoch, accuracy: testAccuracy, seconds });
  }

  return {
    accuracy: testAccuracy,
    backend: optimizer.backend,
    updates: epochs * updatesPerEpoch,
    race: race && { ...race.milliseconds, largestDifference: race.largestDifference() },
    learnedLr: optimizer.learnedLr,
    digest: digest(optimizer.params),
  };
}

/** SHA-256 of all weights in the order w1, b1, w2, b2, as little-endian float32. */
function digest({ w1, b1, w2, b2 }: Record<"w1" | "b1" | "w2" | "b2", Float32Array>): string {
  const hash = createHash("sha256");
  for (const tensor of [w1, b1, w2, b2]) {
    const bytes = new DataView(new ArrayBuffer(tensor.byteLength));
    tensor.forEach((weight, i) => {
      bytes.setFloat32(4 * i, weight, true);
    });
    hash.update(bytes);
  }
  return hash.digest("hex");
}
