/**
 * Times the optimizer's updates beside the same updates done by a plain JavaScript loop.
 *
 * The loop works on copies of the parameters, but reads the very gradients that the optimizer has just got, so
 * both do equal work on equal numbers. The second of a pair finds the gradients in cache, so they take turns. Only
 * the updates are timed, all of them: the slow first ones too, before the engine has optimised the code.
 */
import { type PlainHyperparameters, plainRmsprop } from "../../tools/plain-loops.ts";

type Tensors = Readonly<Record<string, Float32Array>>;

interface Optimizer {
  readonly params: Tensors;
  readonly grads: Tensors;
  readonly groups: readonly Omit<PlainHyperparameters, "lr">[];
  step(): unknown;
}

interface Copy {
  name: string;
  param: Float32Array;
  squareAvg: Float32Array;
}

export class Race {
  readonly milliseconds = { optimizer: 0, plainLoop: 0 };
  updates = 0;

  readonly #optimizer: Optimizer;
  readonly #lr: (step: number) => number;
  readonly #copies: Copy[];

  constructor(optimizer: Optimizer, lr: (step: number) => number) {
    this.#optimizer = optimizer;
    this.#lr = lr;
    this.#copies = Object.entries(optimizer.params).map(([name, param]) => ({
      name,
      param: param.slice(),
      squareAvg: new Float32Array(param.length),
    }));
  }

  update(): void {
    if (this.updates % 2 === 0) this.#runPlainLoop();
    const start = performance.now();
    this.#optimizer.step();
    this.milliseconds.optimizer += performance.now() - start;
    if (this.updates % 2 === 1) this.#runPlainLoop();
    this.updates++;
  }

  /** The drift between the two sets of weights by rounding: near 0, or they did not do the same work. */
  largestDifference(): number {
    const { params } = this.#optimizer;
    let largest = 0;
    for (const { name, param } of this.#copies) {
      const other = params[name]!;
      for (let i = 0; i < param.length; i++) largest = Math.max(largest, Math.abs(param[i]! - other[i]!));
    }
    return largest;
  }

  #runPlainLoop(): void {
    const { grads, groups } = this.#optimizer;
    const { alpha, eps } = groups[0]!;
    const lr = this.#lr(this.updates);
    const start = performance.now();
    for (const { name, param, squareAvg } of this.#copies) {
      plainRmsprop(param, grads[name]!, squareAvg, { lr, alpha, eps });
    }
    this.milliseconds.plainLoop += performance.now() - start;
  }
}
