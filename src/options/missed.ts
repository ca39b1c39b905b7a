/**
 * Steps that a row has missed, as factors. A dense step without a gradient is linear in the row: with δ = lr·weightDecay
 * where decay is decoupled, c = lr or 1 as momentum has it, times momentum once more for nesterov, and w = 1 − decay,
 *
 *     m = momentum·m
 *     p = (1 − δ)·p − c·m
 *     e = (1 − w)·e + w·p
 *     v, a = alpha·v, alpha·a
 *
 * So any number of them is linear too, and its factors are found in double, from the last step back to the first. The
 * hyperparameters count as they were given, not rounded to the element type, which is nearer to float64 than steps taken one by one.
 */
import { power } from "../base/power.ts";
import type { Real } from "../base/real.ts";
import { MOVES, POWERS } from "../kernel/contract.ts";
import { type Hyperparameters, learningRateAt } from "./hyperparameters.ts";

/** The hyperparameters on which the factors depend. */
const USED = [
  "alpha",
  "sparse",
  "lr",
  "momentum",
  "nesterov",
  "lrInMomentum",
  "weightDecay",
  "decoupledWeightDecay",
] as const satisfies (keyof Hyperparameters)[];

/** Whether steps move the parameters of a row that has no gradient. */
export function movesIdle({ sparse, momentum, weightDecay }: Hyperparameters): boolean {
  return sparse !== "lazy" && (momentum > 0 || weightDecay > 0);
}

/** Whether steps that were missed under one set of hyperparameters mean something else under the next. */
export function changesMissed(before: Hyperparameters, next: Hyperparameters): boolean {
  const moves = movesIdle(before) || movesIdle(next);
  return USED.some((name) => (moves || name === "alpha" || name === "sparse") && before[name] !== next[name]);
}

/** The factors of momentum, parameter and average of the weights, in the order of `MOVES`. */
type Moves = [
  momentumKept: number,
  paramKept: number,
  paramOfMomentum: number,
  emaKept: number,
  emaOfParam: number,
  emaOfMomentum: number,
];

const UNMOVED: Moves = [1, 1, 0, 1, 0, 0];

/** The factors of a group's rows, for any number of steps that were missed. */
export class Missed {
  readonly #hyperparameters: Hyperparameters;
  readonly #powers = new Float64Array(POWERS);
  /** The step before which all rows are to be up to date, and for each number of steps missed until then, their factors. */
  #now = -1;
  #moves: Moves[] = [];

  constructor(
    hyperparameters: Hyperparameters,
    private readonly real: Real,
  ) {
    this.#hyperparameters = hyperparameters;
  }

  /** Forgets what it knows of hyperparameters that have changed. */
  reset(): void {
    this.#powers.fill(0);
    this.#now = -1;
  }

  /** The factor of averages for each step that was missed. */
  get averageKept(): number {
    const { sparse, alpha } = this.#hyperparameters;
    return sparse === "lazy" ? 1 : alpha;
  }

  /** The powers of that factor, from the 0th up. */
  get powers(): Float64Array {
    if (this.#powers[0] === 0) {
      this.#powers.forEach((_, exponent, powers) => {
        powers[exponent] = power(this.averageKept, exponent);
      });
    }
    return this.#powers;
  }

  /** Whether steps without a gradient move more than averages. */
  movesMore(emaDecay: number | undefined): boolean {
    const isLazy = this.#hyperparameters.sparse === "lazy";
    return !isLazy && (emaDecay !== undefined || movesIdle(this.#hyperparameters));
  }

  /** Writes the entry of a row that has missed the last so many steps before step `now`, the one at `index` of a list. */
  writeMoves(
    list: Float64Array,
    index: number,
    missed: number,
    now: number,
    emaDecay: number | undefined,
  ): void {
    const at = index * MOVES.length;
    const factors = this.#movesOver(missed, now, emaDecay);
    // Written out: a loop took twice as long.
    list[at] = factors[0];
    list[at + 1] = factors[1];
    list[at + 2] = factors[2];
    list[at + 3] = factors[3];
    list[at + 4] = factors[4];
    list[at + 5] = factors[5];
  }

  /** Goes back from step `now`, one step further than it knows until it knows enough: what comes before is multiplied in. */
  #movesOver(steps: number, now: number, emaDecay: number | undefined): Moves {
    if (this.#now !== now) {
      this.#now = now;
      this.#moves = [UNMOVED];
    }
    const { momentum, nesterov, lrInMomentum, weightDecay } = this.#hyperparameters;
    while (this.#moves.length <= steps) {
      const step = now - this.#moves.length;
      const lr = learningRateAt(this.#hyperparameters.lr, step, this.real);
      const [momentumKept, paramKept, paramOfMomentum, emaKept, emaOfParam, emaOfMomentum] =
        this.#moves.at(-1)!;
      const kept = 1 - lr * weightDecay;
      const share = emaDecay === undefined ? 0 : step === 0 ? 1 : 1 - emaDecay;
      const ofMomentum = (lrInMomentum ? 1 : lr) * (nesterov ? momentum : 1) * momentum;
      const ofParam = emaKept * share + emaOfParam;
      this.#moves.push([
        momentumKept * momentum,
        paramKept * kept,
        paramOfMomentum * momentum - paramKept * ofMomentum,
        emaKept * (1 - share),
        ofParam * kept,
        emaOfMomentum * momentum - ofParam * ofMomentum,
      ]);
    }
    return this.#moves[steps]!;
  }
}
