/** The training itself: a network, its optimizer, and a batch at a time. Nothing here knows of workers. */
import { RMSprop } from "rmsprop-wasm";
import { CLASSES, PIXELS } from "../../examples/mnist/digits.ts";
import { accumulateGradients, accuracy, initialise, shapes } from "../../examples/mnist/network.ts";
import { seededRandom, shuffle } from "../../examples/mnist/random.ts";
import type { Digits } from "./pack.ts";

export type Method = "rmsprop" | "descent";

export interface Settings {
  method: Method;
  /** RMSprop's learning rate. */
  lr: number;
  /** Gradient descent's. */
  descentLr: number;
}

export const HIDDEN = 64;
export const BATCH = 64;
const SEED = 1;
export const SHAPES = shapes(PIXELS, HIDDEN, CLASSES);

export type Optimizer = RMSprop<typeof SHAPES>;

export class Trainer {
  readonly optimizer: Optimizer;
  readonly #order: Uint32Array;
  readonly #random = seededRandom(SEED);
  #next = 0;
  /** Steps by whichever method; the optimizer counts its own alone. */
  steps = 0;

  /** @param memory a shared one, so that the page can look on. */
  constructor(
    readonly digits: Digits,
    public settings: Settings,
    memory?: WebAssembly.Memory,
  ) {
    this.optimizer = new RMSprop(SHAPES, { lr: settings.lr, ...(memory && { memory }) });
    initialise(this.optimizer.params, this.#random);
    this.#order = Uint32Array.from({ length: digits.train.labels.length }, (_, i) => i);
  }

  /** One batch, one step; gives the mean loss of the batch as it was before. */
  step(): number {
    const { optimizer, settings } = this;
    const { params, grads } = optimizer;
    optimizer.zeroGrad();
    const loss = accumulateGradients(params, grads, this.digits.train, this.#batch());
    if (settings.method === "descent") {
      for (const name of Object.keys(params) as (keyof typeof params)[]) {
        const [param, grad] = [params[name], grads[name]];
        for (let i = 0; i < param.length; i++) param[i]! -= settings.descentLr * grad[i]!;
      }
    } else {
      if (optimizer.groups[0].lr !== settings.lr) optimizer.groups[0].lr = settings.lr;
      optimizer.step();
    }
    this.steps++;
    return loss;
  }

  /** Goes through all images in a random order, then again in another. */
  #batch(): Uint32Array {
    if (this.#next + BATCH > this.#order.length) this.#next = 0;
    if (this.#next === 0) shuffle(this.#order, this.#random);
    this.#next += BATCH;
    return this.#order.subarray(this.#next - BATCH, this.#next);
  }

  /** The share that it reads right of the digits that it isn't trained on. */
  accuracy(): number {
    return accuracy(this.optimizer.params, this.digits.test);
  }
}
