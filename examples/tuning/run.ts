/** One training of a task in one way, and all of them. */

import { RMSprop } from "rmsprop-wasm";
import { seededRandom } from "../mnist/random.ts";
import { DEFAULT_RATE, RATES, type TaskResult, WAYS } from "./result.ts";
import type { Task } from "./task.ts";
import type { TASKS } from "./tasks.ts";

export const SEEDS = [1, 2, 3];
type Way = (typeof WAYS)[number] | "auto" | "autoScheduleFree";

function train(task: Task, way: Way, rate: number, seed: number, steps: number): number {
  const random = seededRandom(seed);
  const cosine = (step: number) => (rate / 2) * (1 + Math.cos((Math.PI * step) / steps));
  const isFree = way === "scheduleFree" || way === "autoScheduleFree";
  const isAuto = way === "auto" || way === "autoScheduleFree";
  const optimizer = new RMSprop(task.shapes as Record<string, number[]>, {
    lr: isAuto ? "auto" : way === "cosine" ? cosine : rate,
    biasCorrection: isAuto,
    scheduleFree: isFree,
  });
  // The views themselves: a read of `optimizer.params.w` in each turn of a loop takes longer than the turn.
  const params = { ...optimizer.params };
  const grads = { ...optimizer.grads };
  task.start(params, random);
  for (let step = 0; step < steps; step++) {
    task.gradients(params, grads, random);
    optimizer.step({ zeroGrad: true });
  }
  if (isFree) optimizer.eval();
  return task.evaluate(params);
}

/** The mean loss over the seeds. */
function meanLoss(task: Task, way: Way, rate: number, steps = task.steps): number | null {
  const mean = SEEDS.reduce((sum, seed) => sum + train(task, way, rate, seed, steps), 0) / SEEDS.length;
  return Number.isFinite(mean) ? Number(mean.toPrecision(4)) : null;
}

export function runTask(make: (typeof TASKS)[number]): TaskResult {
  const task = make();
  const entries = WAYS.map((way) => [way, RATES.map((rate) => meanLoss(task, way, rate))] as const);
  const { tooFew } = task;
  return {
    name: task.name,
    loss: task.loss,
    steps: task.steps,
    losses: Object.fromEntries(entries) as Record<(typeof WAYS)[number], (number | null)[]>,
    auto: meanLoss(task, "auto", 1),
    autoScheduleFree: meanLoss(task, "autoScheduleFree", 1),
    ...(tooFew !== undefined && {
      short: {
        steps: tooFew,
        constant: RATES.map((rate) => meanLoss(task, "constant", rate, tooFew)),
        scheduleFree: meanLoss(task, "scheduleFree", DEFAULT_RATE, tooFew),
      },
    }),
  };
}
