/**
 * Several workers learn to read handwritten digits together, with one optimizer in shared memory.
 *
 *     npm run example:data-parallel
 *     npm run example:data-parallel -- --workers 4 --epochs 2 --limit 10000
 *
 * Read on in `worker.ts` (what each does in turn) and `train.ts` (how they are started). The network is that of the
 * example `mnist`.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { loadMnist } from "../mnist/data.ts";
import { trainTogether } from "./train.ts";

const { values } = parseArgs({
  options: {
    workers: { type: "string", default: String(availableParallelism()) },
    epochs: { type: "string", default: "3" },
    limit: { type: "string", default: "20000" },
  },
});

const data = loadMnist();
const [epochs, limit] = [Number(values.epochs), Number(values.limit)];

async function train(workers: number) {
  console.log(`\n${workers === 1 ? "One worker" : `${workers} workers`}, ${limit} images`);
  const report = await trainTogether(data, {
    workers,
    epochs,
    limit,
    onEpoch: (epoch, loss) => console.log(`epoch ${epoch}   loss ${loss.toFixed(4)}`),
  });
  const { accuracy, steps, seconds, digest } = report;
  console.log(
    `test accuracy ${(100 * accuracy).toFixed(2)} %   ${steps} steps   ${seconds.toFixed(1)} s   weights ${digest.slice(0, 16)}…`,
  );
  return seconds;
}

const alone = await train(1);
const together = await train(Number(values.workers));
console.log(`\n${(alone / together).toFixed(2)} times as fast.`);
