/**
 * Steps that a row has missed, as factors. A dense step without a gradient is linear in the row. With decoupled decay
 * δ = lr·weightDecay; c = lr, or 1 with `lrInMomentum`, in both cases times momentum with `nesterov`; and w = 1 − `ema.decay`, or
 * 1 in the first step:
 *
 *     m = momentum·m
 *     p = (1 − δ)·p − c·m
 *     e = (1 − w)·e + w·p
 *     v, a = alpha·v, alpha·a
 *
 * So any number of such steps is linear too. Its factors are computed in double, from the last step back to the first.
 * Hyperparameters are taken as they were given, not rounded to the element type, so that the result is nearer to float64
 * than that of steps taken one by one.
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
  /** The step before which rows are brought up to date, and the factors of 0, 1, 2, … steps missed until then. */
  #now = -1;
  #moves: Moves[] = [];

  constructor(
    hyperparameters: Hyperparameters,
    private readonly real: Real,
  ) {
    this.#hyperparameters = hyperparameters;
  }

  /** Drops all factors, after hyperparameters have changed. */
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

  /** The factors of the last so many steps before step `now`. They are kept, and those of one step more follow from the last. */
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
