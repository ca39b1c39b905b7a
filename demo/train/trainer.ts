/** The training itself: a network, its optimizer, and a batch at a time. Nothing here knows of workers. */
import { RMSprop } from "rmsprop-wasm";
import { CLASSES, PIXELS } from "../../examples/mnist/digits.ts";
import { accumulateGradients, accuracy, initialise, shapes } from "../../examples/mnist/network.ts";
import { seededRandom, shuffle } from "../../examples/mnist/random.ts";
import type { Digits } from "./pack.ts";

export const METHODS = ["rmsprop", "descent"] as const;
export type Method = (typeof METHODS)[number];
/** The learning rate of each method. */
export type Rates = Record<Method, number>;

/** A run that nothing but a new start can help. */
export interface Broken {
  /** "nan": the loss is no number. "exploded": it is far above a guess's. "dead": no hidden unit has a gradient any more. */
  why: "nan" | "exploded" | "dead";
  /** The step that showed it, and the learning rate there. */
  step: number;
  lr: number;
}

export const HIDDEN = 64;
export const BATCH = 64;
const SEED = 1;
export const SHAPES = shapes(PIXELS, HIDDEN, CLASSES);

/** The loss of a network that gives each digit a tenth. */
export const GUESS = Math.log(CLASSES);
/** The multiple of a guess's loss that counts as exploded. */
export const EXPLODED = 10;
/** Steps in a row that a run has to look broken: the first steps of one that recovers may be worse than any guess. */
export const PATIENCE = 20;

export type Optimizer = RMSprop<typeof SHAPES>;

export class Trainer {
  readonly optimizer: Optimizer;
  readonly #order: Uint32Array;
  readonly #random = seededRandom(SEED);
  #next = 0;
  /** Steps in a row with that symptom. */
  readonly #symptoms = { exploded: 0, dead: 0 };
  steps = 0;
  broken: Broken | undefined;

  /** @param memory a shared one, so that the page can look on. */
  constructor(
    readonly method: Method,
    readonly digits: Digits,
    public lr: number,
    memory?: WebAssembly.Memory,
  ) {
    this.optimizer = new RMSprop(SHAPES, { lr, ...(memory && { memory }) });
    initialise(this.optimizer.params, this.#random);
    this.#order = Uint32Array.from({ length: digits.train.labels.length }, (_, i) => i);
  }

  /** One batch, one step; gives the mean loss of the batch as it was before. */
  step(): number {
    const { optimizer, lr } = this;
    const { params, grads } = optimizer;
    optimizer.zeroGrad();
    const loss = accumulateGradients(params, grads, this.digits.train, this.#batch());
    if (this.method === "descent") {
      for (const name of Object.keys(params) as (keyof typeof params)[]) {
        const [param, grad] = [params[name], grads[name]];
        for (let i = 0; i < param.length; i++) param[i]! -= lr * grad[i]!;
      }
    } else {
      if (optimizer.groups[0].lr !== lr) optimizer.groups[0].lr = lr;
      optimizer.step();
    }
    this.steps++;
    this.broken ??= this.#diagnose(loss);
    return loss;
  }

  #diagnose(loss: number): Broken | undefined {
    const { steps: step, lr } = this;
    const symptoms = this.#symptoms;
    symptoms.exploded = loss > EXPLODED * GUESS ? symptoms.exploded + 1 : 0;
    // A network that has learnt all of a batch has no gradients either, and no loss.
    const isDead = loss > GUESS / 2 && this.optimizer.grads.w1.every((grad) => grad === 0);
    symptoms.dead = isDead ? symptoms.dead + 1 : 0;
    if (!Number.isFinite(loss)) return { why: "nan", step, lr };
    if (symptoms.dead >= PATIENCE) return { why: "dead", step, lr };
    if (symptoms.exploded >= PATIENCE) return { why: "exploded", step, lr };
    return undefined;
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
