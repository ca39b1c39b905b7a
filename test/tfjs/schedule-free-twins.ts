/** An optimizer of the drop-in with `scheduleFree`, its variables, and `RMSprop` with the same parameters beside it. */
import { dialects, RMSprop } from "rmsprop-wasm";
import { expect } from "vitest";
import { bits, ordinaryPlanes } from "../support/kernels.ts";
import { type DropIn, type RMSPropOptions, type Tf, valuesOf, variableOf } from "./installed.ts";

export function twins({ rmsprop }: DropIn, tf: Tf, options: RMSPropOptions, counts: readonly number[]) {
  const planes = counts.map((count) => ordinaryPlanes(count, count));
  const optimizer = rmsprop(options);
  const variables = planes.map(({ param }, i) => variableOf(tf, param, `w${i}`));
  const reference = new RMSprop(Object.fromEntries(planes.map(({ param }, i) => [`w${i}`, param])), {
    ...dialects.tfjs,
    lr: 1e-3,
    ...options,
    backend: "js",
  });
  const step = (n: number) => {
    const from = n % 2 === 0 ? "grad" : "ema";
    for (const [i, plane] of planes.entries()) reference.grads[`w${i}`]!.set(plane[from]);
    reference.step();
    tf.tidy(() => {
      const gradients = planes.map((plane, i) => [`w${i}`, tf.tensor1d(plane[from])]);
      optimizer.applyGradients(Object.fromEntries(gradients));
    });
  };
  const expectSame = () => {
    const expected = variables.map((_, i) => reference.params[`w${i}`]!);
    expect(variables.map(valuesOf).map(bits)).toEqual(expected.map(bits));
  };
  return { optimizer, variables, reference, step, expectSame };
}

export function free(...used: { dispose(): void }[]): void {
  for (const one of used) one.dispose();
}
