/**
 * The program of a worker. The build bundles it into `worker.generated.ts` as text, from which `threads.ts` starts it: a
 * file of its own would have to be found again behind every bundler.
 */
import {
  ARGUMENTS,
  AWAKE,
  EPOCH,
  KIND,
  openControl,
  PARKED,
  SPIN_MS,
  statusAt,
  sumBlocks,
  takePart,
  UPDATE,
  type WorkerStart,
} from "./protocol.ts";
import { nodeThreads } from "./spawn.ts";

function run(start: WorkerStart, announce: () => void): void {
  const { thread, threads, memory } = start;
  const { update, sumOfSquares } = new WebAssembly.Instance(start.module, { env: { memory } }).exports as {
    update(...args: number[]): void;
    sumOfSquares(grad: number, count: number): number;
  };
  const control = openControl(start.control, threads);
  const { words, job } = control;

  const { planes, arity } = start;
  const args = new Array<number>(arity).fill(0);

  const perform = (from: number, to: number) => {
    if (job[KIND] !== UPDATE) {
      sumBlocks(control, thread, from, to, sumOfSquares);
      return;
    }
    for (let i = 0; i < arity; i++) args[i] = job[ARGUMENTS + i]!;
    for (let i = 1; i <= planes; i++) args[i]! += from * 4;
    args[planes + 1] = to - from;
    update(...args);
  };

  /** Watches for another job for a while, then sleeps: an idle pool takes no processor time. */
  const nextEpoch = (seen: number): number => {
    const end = performance.now() + SPIN_MS;
    do {
      for (let i = 0; i < 64; i++) {
        const epoch = Atomics.load(words, EPOCH);
        if (epoch !== seen) return epoch;
      }
    } while (performance.now() < end);
    // The caller looks at this after it has written the number, so it wakes us or we don't fall asleep.
    Atomics.store(words, statusAt(thread), PARKED);
    Atomics.wait(words, EPOCH, seen);
    Atomics.store(words, statusAt(thread), AWAKE);
    return Atomics.load(words, EPOCH);
  };

  let epoch = Atomics.load(words, EPOCH);
  Atomics.store(words, statusAt(thread), AWAKE);
  announce();
  while (takePart(control, thread, epoch, perform)) epoch = nextEpoch(epoch);
}

const node = nodeThreads();
if (node?.workerData) {
  run(node.workerData as WorkerStart, () => node.parentPort?.postMessage(0));
} else {
  const scope = globalThis as unknown as Pick<Worker, "postMessage" | "addEventListener"> & {
    close(): void;
  };
  scope.addEventListener(
    "message",
    ({ data }) => {
      run(data, () => scope.postMessage(0));
      scope.close();
    },
    { once: true },
  );
}
