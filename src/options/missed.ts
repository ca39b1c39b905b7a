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
import type { Real } from "../base/real.ts";
import { ENTRY } from "../kernel/contract.ts";
import { type Hyperparameters, learningRateAt } from "./hyperparameters.ts";
import { power } from "./scalars.ts";

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

/** The factors of momentum, parameter and average of the weights, in the order of an entry. */
type Moves = [
  momentumKept: number,
  paramKept: number,
  paramOfMomentum: number,
  emaKept: number,
  emaOfParam: number,
  emaOfMomentum: number,
];

const UNMOVED: Moves = [1, 1, 0, 1, 0, 0];

/** Powers of alpha that are kept: longer absences are rare, and cost a dozen products each. */
const KEPT_POWERS = 1024;

/** Rows and the number of steps that each has missed, in arrays with room for more. */
export interface BehindRows {
  readonly rows: Uint32Array;
  readonly steps: Uint32Array;
  count: number;
}

/** The factors of a group's rows, for any number of steps that were missed. */
export class Missed {
  readonly #hyperparameters: Hyperparameters;
  readonly #powers = new Float64Array(KEPT_POWERS);
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

  /**
   * Writes the entries of rows that have missed the last so many steps before step `now`: the first `count` of `rows`, and
   * of `steps`.
   */
  write(
    entries: Float64Array,
    { rows, steps, count }: BehindRows,
    now: number,
    emaDecay: number | undefined,
  ): void {
    const isLazy = this.#hyperparameters.sparse === "lazy";
    const moves = !isLazy && (emaDecay !== undefined || movesIdle(this.#hyperparameters));
    for (let i = 0; i < count; i++) {
      const at = i * ENTRY.length;
      const missed = steps[i]!;
      const factors = moves ? this.#movesOver(missed, now, emaDecay) : UNMOVED;
      entries[at] = rows[i]!;
      entries[at + 1] = isLazy ? 1 : this.#averageKept(missed);
      // Written out: a loop took twice as long.
      entries[at + 2] = factors[0];
      entries[at + 3] = factors[1];
      entries[at + 4] = factors[2];
      entries[at + 5] = factors[3];
      entries[at + 6] = factors[4];
      entries[at + 7] = factors[5];
    }
  }

  #averageKept(steps: number): number {
    const { alpha } = this.#hyperparameters;
    if (steps >= KEPT_POWERS) return power(alpha, steps);
    // A power that is 0 is computed again each time.
    if (this.#powers[steps] === 0) this.#powers[steps] = power(alpha, steps);
    return this.#powers[steps]!;
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
