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
import { type Arithmetic, DOUBLES } from "../base/arithmetic.ts";
import type { Real } from "../base/real.ts";
import { MOVES, POWERS, UNMOVED } from "../kernel/contract.ts";
import { type Hyperparameters, learningRateAt } from "./hyperparameters.ts";

/** The hyperparameters on which the factors depend: two for averages, and the others for what moves beside them. */
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

/** Whether steps move the parameters of a row that has no gradient, or their average, if there is one. */
export function movesIdle({ sparse, momentum, weightDecay }: Hyperparameters, emaDecay?: number): boolean {
  return sparse !== "lazy" && (momentum > 0 || weightDecay > 0 || emaDecay !== undefined);
}

/** A change by which steps that were missed under one set of hyperparameters mean something else under the next. */
export function changeOfMissed(
  before: Hyperparameters,
  next: Hyperparameters,
): keyof Hyperparameters | undefined {
  const moves = movesIdle(before) || movesIdle(next);
  return USED.find((name, i) => (moves || i < 2) && before[name] !== next[name]);
}

/** The factors of momentum, parameter and average of the weights, in the order of `MOVES`, in the arithmetic of the element type. */
type Moves = [
  momentumKept: unknown,
  paramKept: unknown,
  paramOfMomentum: unknown,
  emaKept: unknown,
  emaOfParam: unknown,
  emaOfMomentum: unknown,
];

/**
 * Factors are kept of each number of missed steps up to some 67,000, and of one in 32 from there on: 10 MB for a million
 * steps, and 47 in float64, where those of each took 107 and 490. A row that has missed more takes the way from the last that are
 * kept, in float32 1.5 µs for 0.1.
 */
const NEAR = 2 ** 16;
const STRIDE = 32;

/** The number of steps whose factors stand at a place of the list. */
const countAt = (place: number) => Math.max(place, (place - NEAR) * STRIDE);

/** The factors of a group's rows, for any number of steps that were missed. */
export class Missed {
  readonly #hyperparameters: Hyperparameters;
  readonly #arithmetic: Arithmetic;
  readonly #powers = new Float64Array(POWERS);
  /** The factors of `countAt(0)`, `countAt(1)`, … steps missed until a step, or, if they are the same for all, until step 0. */
  #until = -1;
  #moves: Moves[] = [];

  constructor(
    hyperparameters: Hyperparameters,
    private readonly real: Real,
  ) {
    this.#hyperparameters = hyperparameters;
    this.#arithmetic = real.arithmetic ?? DOUBLES;
  }

  /** Drops the factors that depend on rates, after hyperparameters have changed. */
  reset(): void {
    this.#until = -1;
  }

  /** The factor of averages for each step that was missed. */
  get averageKept(): number {
    const { sparse, alpha } = this.#hyperparameters;
    return sparse === "lazy" ? 1 : alpha;
  }

  /**
   * The powers of that factor, from the 1st up. They are kept while it stays the same, as it does under a rate that is
   * assigned anew at each step: 512 of them take as long as some hundred rows.
   */
  get powers(): Float64Array {
    const { averageKept } = this;
    if (this.#powers[1] !== averageKept) {
      for (let i = 1; i < POWERS; i++) this.#powers[i] = this.#arithmetic.power(averageKept, i);
    }
    return this.#powers;
  }

  /** Whether steps without a gradient move more than averages. */
  movesMore(emaDecay: number | undefined): boolean {
    return movesIdle(this.#hyperparameters, emaDecay);
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
    const { toDouble } = this.#arithmetic;
    const factors = this.#movesOver(missed, now, emaDecay);
    // Written out: a loop took twice as long.
    list[at] = toDouble(factors[0]);
    list[at + 1] = toDouble(factors[1]);
    list[at + 2] = toDouble(factors[2]);
    list[at + 3] = toDouble(factors[3]);
    list[at + 4] = toDouble(factors[4]);
    list[at + 5] = toDouble(factors[5]);
  }

  /** The factors of the last so many steps before step `now`: kept, or a few steps on from some that are. */
  #movesOver(steps: number, now: number, emaDecay: number | undefined): Moves {
    const { from, combine } = this.#arithmetic;
    const { momentum, nesterov, lrInMomentum, weightDecay, lr: rate } = this.#hyperparameters;
    const until = typeof rate === "function" || emaDecay !== undefined ? now : 0;
    if (this.#until !== until) {
      this.#until = until;
      this.#moves = [UNMOVED.map(from) as Moves];
    }
    const all = this.#moves;
    if (steps < NEAR && steps < all.length) return all[steps]!;
    const place = Math.min(steps, NEAR + Math.floor(steps / STRIDE), all.length - 1);
    let moves = all[place]!;
    for (let count = countAt(place); count < steps; ) {
      const step = now - ++count;
      const lr = learningRateAt(rate, step, this.real);
      const [momentumKept, paramKept, paramOfMomentum, emaKept, emaOfParam, emaOfMomentum] = moves;
      const lost = -lr * weightDecay;
      const share = emaDecay === undefined ? 0 : step === 0 ? 1 : 1 - emaDecay;
      const ofMomentum = -(lrInMomentum ? 1 : lr) * (nesterov ? momentum : 1) * momentum;
      const ofParam = combine(emaKept, share, emaOfParam, 1);
      moves = [
        combine(momentumKept, momentum, momentumKept, 0),
        combine(paramKept, 1, paramKept, lost),
        combine(paramOfMomentum, momentum, paramKept, ofMomentum),
        combine(emaKept, 1, emaKept, -share),
        combine(ofParam, 1, ofParam, lost),
        combine(emaOfMomentum, momentum, ofParam, ofMomentum),
      ];
      if (count === countAt(all.length)) all.push(moves);
    }
    return moves;
  }
}
