/**
 * The program of a worker. The build bundles it into `worker.generated.ts` as text, from which `threads.ts` starts it: a
 * file of its own would have to be found again behind every bundler.
 */
import {
  ARGUMENTS,
  AWAKE,
  type Call,
  cutRows,
  EPOCH,
  INNER_PRODUCT,
  KIND,
  LEFT,
  openControl,
  PARKED,
  SPIN_MS,
  STARTING,
  statusAt,
  sumBlocks,
  takePart,
  UPDATE,
  UPDATE_ROWS,
  type WorkerStart,
} from "./protocol.ts";
import { nodeThreads } from "./spawn.ts";

function run(start: WorkerStart, announce: () => void): void {
  const { thread, threads, memory } = start;
  const { update, updateRows, sumOfSquares, innerProduct } = new WebAssembly.Instance(start.module, {
    env: { memory },
  }).exports as Record<"update" | "updateRows" | "sumOfSquares" | "innerProduct", Call>;
  const control = openControl(start.control, threads);
  const { words, job } = control;

  const { planes, arity, bytes } = start;
  const args = new Array<number>(arity).fill(0);
  let kind = UPDATE;
  let [from, to] = [0, 0];
  const performer = {
    read(first: number, end: number) {
      [from, to] = [first, end];
      kind = job[KIND]!;
      for (let i = 0; i < arity; i++) args[i] = job[ARGUMENTS + i]!;
    },
    perform() {
      if (kind === UPDATE_ROWS) {
        updateRows(...cutRows(args, planes, [from, to]));
        return;
      }
      if (kind !== UPDATE) {
        const [planes, kernel] =
          kind === INNER_PRODUCT ? ([2, innerProduct] as const) : ([1, sumOfSquares] as const);
        const work = { addresses: args.slice(0, planes), factors: args.slice(planes), bytes };
        sumBlocks(control, thread, work, [from, to], kernel);
        return;
      }
      for (let i = 1; i <= planes; i++) args[i]! += from * bytes;
      args[planes + 1] = to - from;
      update(...args);
    },
  };

  /** Goes from one state to another, unless the caller has dismissed this worker meanwhile. */
  const turn = (state: number, next: number) =>
    Atomics.compareExchange(words, statusAt(thread), state, next) === state;

  /** Watches for another job for a while, then sleeps: an idle pool takes no processor time. Undefined once dismissed. */
  const nextEpoch = (seen: number): number | undefined => {
    const end = performance.now() + SPIN_MS;
    do {
      for (let i = 0; i < 64; i++) {
        const epoch = Atomics.load(words, EPOCH);
        if (epoch !== seen) return epoch;
      }
    } while (performance.now() < end);
    // The caller looks at this after it has written the number: either it wakes this worker, or this one doesn't sleep.
    if (!turn(AWAKE, PARKED)) return undefined;
    Atomics.wait(words, EPOCH, seen);
    return turn(PARKED, AWAKE) ? Atomics.load(words, EPOCH) : undefined;
  };

  let epoch: number | undefined = Atomics.load(words, EPOCH);
  if (turn(STARTING, AWAKE)) announce();
  else epoch = undefined;
  while (epoch !== undefined && takePart(control, thread, epoch, performer)) epoch = nextEpoch(epoch);
  Atomics.store(words, statusAt(thread), LEFT);
  announce();
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
