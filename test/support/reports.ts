/** Reports by their definition, in double on the views, for the tests of `optimizer.report()`. */
import type { Hyperparameters } from "rmsprop-wasm";
import { expect } from "vitest";
import type { TensorReport } from "../../src/optimizer/report.ts";
import type { ENTRIES } from "./entries.ts";
import { seeded } from "./kernels.ts";

type Optimizer = ReturnType<(typeof ENTRIES)[number]["make"]>;

/** A seeded generator of numbers from −1 to 1. */
export function symmetric(seed: number): () => number {
  const next = seeded(seed);
  return () => next() / 2 ** 31 - 1;
}

/** Takes steps along random gradients, a tenth of them zero, and leaves the last ones there. */
export function train(optimizer: Optimizer, steps: number, stepOptions = {}): void {
  const random = symmetric(steps);
  for (let step = 0; step < steps; step++) {
    for (const grad of Object.values<Float32Array>(optimizer.grads)) {
      grad.forEach((_, i) => {
        grad[i] = random() < -0.8 ? 0 : random() * Math.exp(3 * random());
      });
    }
    optimizer.step(stepOptions);
  }
}

/** The report by its definition, in double, on the views. */
export function expectedOf({ params, grads, state, groups, steps }: Optimizer, name: string): TensorReport {
  const options = groups[0] as Hyperparameters & { lr: number };
  const { lr, alpha, eps, epsInsideSqrt, centered, momentum, nesterov, lrInMomentum } = options;
  const [param, grad] = [Array.from(params[name]!), Array.from(grads[name]!)];
  const { squareAvg, momentumBuffer, gradAvg } = state[name]!;
  const correction = options.biasCorrection ? 1 - alpha ** steps : 1;
  const rates = Array.from(squareAvg, (v, i) => {
    const q = (v - (centered ? gradAvg![i]! ** 2 : 0)) / correction;
    return lr / (epsInsideSqrt ? Math.sqrt(q + eps) : Math.sqrt(Math.max(q, 0)) + eps);
  });

  const norm = Math.hypot(...grad);
  const scale = (options.maximize ? -1 : 1) * Math.min(1, options.clipNorm / norm || 1);
  const updates = grad.map((g, i) => {
    const clipped = Math.min(Math.max(g * scale, -options.clipValue), options.clipValue);
    const decay = options.decoupledWeightDecay ? 0 : options.weightDecay;
    const u = (clipped + decay * param[i]!) * rates[i]!;
    if (momentum === 0) return u;
    const m = momentumBuffer![i]! * (lrInMomentum ? 1 : lr);
    return nesterov ? u + momentum * m : m;
  });

  const sorted = rates.slice().sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    gradRms: rms(grad),
    updateRms: rms(updates),
    updateRatio: rms(updates) / rms(param),
    minLr: sorted[0]!,
    medianLr: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    maxLr: sorted.at(-1)!,
    zeroGradShare: grad.filter((g) => g === 0).length / grad.length,
    nonFinite: 0,
  };
}

export function rms(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length);
}

export function shortest(value: number): number {
  const digits = Array.from({ length: 9 }, (_, i) => Number(Math.fround(value).toPrecision(i + 1)));
  return digits.find((short) => Math.fround(short) === Math.fround(value))!;
}

/** To what float32 operations leave of it: more where centered cancels. */
export function expectClose(actual: TensorReport, expected: TensorReport): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) {
    const distance = Math.abs(actual[name as keyof TensorReport] - value);
    expect(distance, `${name}: ${actual[name as keyof TensorReport]}, expected ${value}`).toBeLessThanOrEqual(
      1e-5 * value,
    );
  }
}
