/** Runs of small optimizers in every variant that stop and go on: for state dicts and checkpoints. */

import type { Options, StateDict, StepOptions } from "rmsprop-wasm";
import { expect } from "vitest";
import {
  AVERAGED,
  CENTERED,
  CORRECTED,
  DECAYED,
  MOMENTUM,
  NESTEROV,
  SHAPED,
  ZEROED,
} from "../../src/kernel/contract.ts";
import { ALL_VARIANTS, seeded } from "./kernels.ts";

/** Two groups, tensors of one and two dimensions and a flat one, no count a multiple of a vector's width. */
export const params = () => [
  { params: { "layer.weight": [3, 7], bias: [5] }, eps: 1e-3 },
  { params: { scale: Float32Array.of(1, -2, 3) }, alpha: 0.8 },
];

export interface Variant {
  name: string;
  options: Options;
  step: StepOptions;
}

/** Every combination of what a step can use; nesterov takes momentum. */
export const VARIANTS: Variant[] = ALL_VARIANTS.filter(
  ({ variant }) => variant < 2 * ZEROED && (!(variant & NESTEROV) || variant & MOMENTUM),
).map(({ variant, name }) => {
  const has = (bit: number) => (variant & bit) !== 0;
  return {
    name,
    options: {
      lr: 0.01,
      momentum: has(MOMENTUM) ? 0.7 : 0,
      centered: has(CENTERED),
      nesterov: has(NESTEROV),
      biasCorrection: has(CORRECTED),
      clipValue: has(SHAPED) ? 0.75 : Infinity,
      weightDecay: has(SHAPED | DECAYED) ? 0.01 : 0,
      decoupledWeightDecay: !has(DECAYED),
      ema: has(AVERAGED) ? { decay: 0.9 } : undefined,
    },
    step: { zeroGrad: has(ZEROED) },
  };
});

/** The members of an optimizer that are used here, of either entry's. */
interface Trainee {
  readonly params: Readonly<Record<string, Float32Array>>;
  readonly grads: Readonly<Record<string, Float32Array>>;
  step(options?: StepOptions): boolean;
  stateDict(): StateDict;
}

/** Steps `from` to before `to`, whose gradients depend on the step and the parameters. */
export function train(optimizer: Trainee, from: number, to: number, options?: StepOptions): void {
  for (let step = from; step < to; step++) {
    const next = seeded(step);
    for (const [name, grad] of Object.entries(optimizer.grads)) {
      const param = optimizer.params[name]!;
      for (let i = 0; i < grad.length; i++) grad[i] = param[i]! * 0.1 + next() / 2 ** 31 - 1;
    }
    optimizer.step(options);
  }
}

/** The whole state of an optimizer, each float as its bits. */
export function snapshot(optimizer: Trainee): unknown {
  return exactly(optimizer.stateDict());
}

export function exactly(value: unknown): unknown {
  if (value instanceof Float32Array || value instanceof Float64Array) {
    return Buffer.from(value.slice().buffer).toString("hex");
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(exactly);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, exactly(inner)]));
}

/** Far quicker than `toEqual` on long arrays. */
export function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(bytes, expected)).toBe(0);
}
