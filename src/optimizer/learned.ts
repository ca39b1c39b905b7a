/**
 * A learning rate that finds itself: `lr: "auto"`, after Cutkosky, Defazio and Mehta, "Mechanic: A Learning Rate Tuner"
 * (2023), without its weight decay. Each of six learners with memories of 10 to a million steps bets on the scale of the
 * updates, by the inner product of the gradient and the way from where the run began, `moved`. The rate is the sum of the
 * six. The way is at the scale of the last rate, so an update brings the parameters to that of the new one too.
 *
 * Optimizers on the same tensors share the learners, in the memory where that is shared.
 */
import type { Kernel } from "../kernel/contract.ts";
import type { LearnedRate } from "../options/scalars.ts";
import type { Group, Step } from "./group.ts";

/** The share that each learner keeps of its past, literally: engines round powers differently, and bits must not differ. */
const KEPT = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999] as const;
const LEARNERS = KEPT.length;
const EPS = 1e-8;
/** Each learner's rate at the beginning. */
const START = 1e-6;
/** Named as in the paper: largest and squared inner products, reward, rate. */
const NAMES = ["m", "v", "r", "s"] as const;

/** The bytes that learners take in a shared memory. */
export const LEARNED_BYTES = NAMES.length * LEARNERS * 8;

/** The learners' numbers, in a state dict: six of each. */
export type LearnedState = Readonly<Record<(typeof NAMES)[number], readonly number[]>>;

/** @internal The six learners, whose numbers may stand in a shared memory. */
export class Learned {
  readonly #numbers: Float64Array;

  /** @param shared a place for the numbers, which are zeros before the first optimizer on it. */
  constructor(shared?: { memory: WebAssembly.Memory; ptr: number }) {
    const count = NAMES.length * LEARNERS;
    this.#numbers = shared
      ? new Float64Array(shared.memory.buffer, shared.ptr, count)
      : new Float64Array(count);
    if (this.rate === 0) this.#of("s").fill(START);
  }

  get rate(): number {
    return this.#of("s").reduce((sum, s) => sum + s, 0);
  }

  get state(): LearnedState {
    return Object.fromEntries(NAMES.map((name) => [name, [...this.#of(name)]])) as unknown as LearnedState;
  }

  /** Takes over a state that was checked. */
  set state(state: LearnedState) {
    for (const name of NAMES) this.#of(name).set(state[name]);
  }

  /** Learns from the gradients, and gives the rate that the step is to have. */
  learn(groups: readonly Group[], kernel: Kernel, step: Step): LearnedRate {
    const before = this.rate + EPS;
    let product = 0;
    for (const group of groups) product -= group.innerProduct(kernel, step);
    product /= before;
    if (Number.isFinite(product)) this.#bet(product);
    const { rate } = this;
    return { rate, growth: rate / before - 1 };
  }

  #bet(product: number): void {
    const [ms, vs, rs, ss] = NAMES.map((name) => this.#of(name)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    KEPT.forEach((kept, i) => {
      const clipped = Math.max(-ms[i]!, Math.min(product, ms[i]!));
      const r = kept * rs[i]! + clipped * ss[i]!;
      const m = Math.max(kept * ms[i]!, Math.abs(product) + EPS);
      const v = kept * kept * vs[i]! + product * product;
      rs[i] = r;
      ms[i] = m;
      vs[i] = v;
      ss[i] = ((START / LEARNERS) * m + Math.max(0, r)) / (Math.sqrt(v) + EPS);
    });
  }

  #of(name: (typeof NAMES)[number]): Float64Array {
    const from = NAMES.indexOf(name) * LEARNERS;
    return this.#numbers.subarray(from, from + LEARNERS);
  }
}

/** Whether a value of a state dict is the numbers of a learned rate. */
export function isLearned(given: unknown): given is LearnedState {
  return NAMES.every((name) => {
    const list = (given as LearnedState | undefined)?.[name];
    // Rewards alone may be negative; the root of such a v would be NaN, and so would the rate from then on.
    const isFit = (value: unknown) => Number.isFinite(value) && (name === "r" || (value as number) >= 0);
    return Array.isArray(list) && list.length === LEARNERS && list.every(isFit);
  });
}
