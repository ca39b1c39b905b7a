/** Processors are slow with denormals, so none outlives the 64th step, in parameters, state or averages of the weights. */
import type { Options } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { seeded } from "../support/kernels.ts";
import { as } from "../support/table.ts";

const COUNT = 37;
const CASES: Options[] = [
  {},
  { momentum: 0.9 },
  { centered: true, momentum: 0.5, nesterov: true },
  { weightDecay: 0.1 },
  { weightDecay: 0.1, decoupledWeightDecay: true, ema: { decay: 0.9 } },
  { biasCorrection: true, clipNorm: 1, lr: (step) => 1 / (step + 1) },
  { scheduleFree: true },
];

describe.each(ALL_ENTRIES)("$entry", ({ make, backend }) => {
  it.each(CASES)("no plane holds a denormal after any 64 steps: %o", (options) => {
    const optimizer = as(make({ w: [COUNT] }, options));
    expect(optimizer.backend).toBe(backend);
    const { w } = optimizer.params;
    const smallestNormal = w!.BYTES_PER_ELEMENT === 4 ? 2 ** -126 : 2 ** -1022;
    const next = seeded(1);
    const planes = (): Float32Array[] => [
      w!,
      ...Object.values(optimizer.state.w!),
      ...(options.ema ? [optimizer.ema.w!] : []),
    ];
    const holding = () =>
      planes().filter((plane) => plane.some((value) => value !== 0 && Math.abs(value) < smallestNormal))
        .length;
    const counts: number[] = [];
    for (let step = 1; step <= 192; step++) {
      if (step % 64 === 60) {
        for (const plane of planes()) plane.set(plane.map(() => (next() / 2 ** 32) * smallestNormal));
      }
      optimizer.step();
      counts.push(holding());
    }
    expect(counts.filter((_, i) => i % 64 === 63)).toEqual([0, 0, 0]);
    for (const block of [0, 64, 128]) expect(counts[block + 60]).toBeGreaterThan(0);
  });
});
