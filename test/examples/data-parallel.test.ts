/** The data-parallel example: real threads on one optimizer, with the bits of one thread that does all in turn. */
import { createHash } from "node:crypto";
import { RMSprop } from "rmsprop-wasm";
import { expect, it } from "vitest";
import { trainTogether } from "../../examples/data-parallel/train.ts";
import { loadMnist } from "../../examples/mnist/data.ts";
import { accumulateGradients, initialise, shapes } from "../../examples/mnist/network.ts";
import { seededRandom, shuffle } from "../../examples/mnist/random.ts";

const data = loadMnist();
const [limit, epochs, batch] = [301, 2, 128];
const NAMES = ["w1", "b1", "w2", "b2"] as const;

/** Trains as the threads do, one after the other, with whole steps. */
function trainInTurn(threads: number): string {
  const optimizer = new RMSprop(shapes(784, 128, 10), { lr: 1e-3 });
  initialise(optimizer.params, seededRandom(1));
  const random = seededRandom(1);
  const order = Uint32Array.from({ length: limit }, (_, i) => i);
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    for (let first = 0; first < limit; first += batch) {
      const images = order.subarray(first, first + batch);
      const gradients = Array.from({ length: threads }, (_, thread) => {
        const [from, to] = [thread, thread + 1].map((i) => Math.floor((images.length * i) / threads));
        const grads = new RMSprop(shapes(784, 128, 10)).grads;
        accumulateGradients(optimizer.params, grads, data.train, images.subarray(from, to));
        return { grads, weight: (to! - from!) / images.length };
      });
      for (const name of NAMES) {
        const sum = optimizer.grads[name].fill(0);
        for (const { grads, weight } of gradients) {
          grads[name].forEach((gradient, i) => {
            sum[i]! += weight * gradient;
          });
        }
      }
      optimizer.step();
    }
  }
  const hash = createHash("sha256");
  for (const name of NAMES) hash.update(new Uint8Array(optimizer.params[name].slice().buffer));
  return hash.digest("hex");
}

it.each([1, 2, 3])("%i workers learn what one thread learns in turn, to the bit", async (workers) => {
  const losses: number[] = [];
  const onEpoch = (_: number, loss: number) => losses.push(loss);
  const { digest, steps } = await trainTogether(data, { workers, epochs, limit, onEpoch });
  expect(digest).toBe(trainInTurn(workers));
  expect(steps).toBe(epochs * Math.ceil(limit / batch));
  expect(losses[1]).toBeLessThan(losses[0]!);
});
