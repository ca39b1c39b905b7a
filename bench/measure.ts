import { findError } from "./formula.ts";
import type { Runner, Way } from "./way.ts";
import { jsBackend } from "./ways/ours.ts";
import { countOf, oncePerWork, type Work } from "./work.ts";

export interface Contestant {
  way: Way;
  work: Work;
}

/** A contestant's nanoseconds per step, one for each round: the n-th of all were measured side by side. */
export interface Timed extends Contestant {
  rounds: number[];
}

export interface Effort {
  rounds: number;
  batchMilliseconds: number;
  warmUpMilliseconds: number;
}

const CHECKED_STEPS = 3;

/**
 * Checks every contestant's result, warms it up, then times them in turn, round by round. The machine's other work then
 * meets all of them alike, and a ratio taken within a round hardly notices it.
 */
export async function measure(
  contestants: Contestant[],
  effort: Effort,
  onProgress: (detail: string) => void,
): Promise<Timed[]> {
  const runners: Runner[] = [];
  try {
    const timed: Timed[] = [];
    const batches: (() => Promise<number>)[] = [];
    for (const contestant of contestants) {
      onProgress(`checking ${contestant.way.title}`);
      const runner = await contestant.way.prepare(contestant.work);
      runners.push(runner);
      await check(contestant, runner);
      const nanoseconds = await warmUp(runner, effort);
      batches.push(batchOf(runner, contestant.work, nanoseconds, effort));
      timed.push({ ...contestant, rounds: [] });
    }
    for (let round = 0; round < effort.rounds; round++) {
      onProgress(`round ${round + 1} of ${effort.rounds}`);
      for (let turn = 0; turn < timed.length; turn++) {
        // Turns rotate, so that none always follows the same neighbour's caches.
        const index = (turn + round) % timed.length;
        timed[index]!.rounds.push(await batches[index]!());
      }
    }
    return timed;
  } finally {
    for (const runner of runners) await runner.dispose();
    globalThis.gc?.();
  }
}

async function check({ way, work }: Contestant, runner: Runner): Promise<void> {
  const result = await resultOf(runner);
  let error = way.formula && findError(way.formula, work, CHECKED_STEPS, result);
  if (!error && way.bitExact) error = await findOtherBits(work, result);
  if (error) throw new Error(`${way.title} is wrong for ${work.title} (${countOf(work)} elements): ${error}`);
}

async function resultOf(runner: Runner): Promise<Float32Array> {
  await runner.reset();
  await runner.time(CHECKED_STEPS);
  return runner.read();
}

const referenceBits = oncePerWork(async (work) => {
  const runner = await jsBackend.prepare(work);
  const result = await resultOf(runner);
  await runner.dispose();
  return new Uint32Array(result.buffer);
});

async function findOtherBits(work: Work, result: Float32Array): Promise<string | undefined> {
  const expected = await referenceBits(work);
  const word = new Uint32Array(result.buffer).findIndex((bits, i) => bits !== expected[i]);
  const index = Math.floor((word * 4) / result.BYTES_PER_ELEMENT);
  return word < 0 ? undefined : `parameter ${index} is not what the JavaScript backend gives, to the bit`;
}

/** Runs until the engine has optimized: for the effort's time, then until two batches agree. Gives ns per step. */
async function warmUp(runner: Runner, { warmUpMilliseconds, batchMilliseconds }: Effort): Promise<number> {
  let before = Infinity;
  let perStep = Infinity;
  let steps = 1;
  for (let spent = 0; ; ) {
    await runner.reset();
    const batch = await runner.time(steps);
    spent += batch / 1e6;
    before = perStep;
    perStep = Math.max(batch / steps, 1);
    const agree = Math.abs(perStep - before) < 0.1 * before;
    if (spent > warmUpMilliseconds && (agree || spent > 3 * warmUpMilliseconds)) return perStep;
    steps = Math.ceil(Math.min(steps * 4, (batchMilliseconds * 1e6) / perStep));
  }
}

function batchOf(runner: Runner, work: Work, perStep: number, { batchMilliseconds }: Effort) {
  const wanted = Math.max(1, Math.round((batchMilliseconds * 1e6) / perStep));
  const { stepsPerReset } = work;
  if (stepsPerReset === undefined) {
    return async () => {
      await runner.reset();
      // An untimed step first makes the buffers and fills the caches.
      await runner.time(1);
      return (await runner.time(wanted)) / wanted;
    };
  }
  const repeats = Math.max(1, Math.round(wanted / stepsPerReset));
  return async () => {
    let nanoseconds = 0;
    for (let i = 0; i < repeats; i++) {
      await runner.reset();
      nanoseconds += await runner.time(stepsPerReset);
    }
    return nanoseconds / repeats / stepsPerReset;
  };
}
