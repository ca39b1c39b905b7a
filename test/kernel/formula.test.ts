/** The formula and its edges: one element whose numbers are exact, or special, on both backends. */
import { describe, expect, it } from "vitest";
import {
  AVERAGED,
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSHED,
  LEARNED,
  MOMENTUM,
  NESTEROV,
  SCHEDULE_FREE,
  SHAPED,
  ZEROED,
} from "../../src/kernel/contract.ts";
import { PLANES } from "../../src/kernel/segment.ts";
import { KERNELS, type Planes, run, scalarsFor, VARIANTS } from "../support/kernels.ts";

describe.each(Object.keys(KERNELS))("backend %s", (backend) => {
  const one = (values: Partial<Record<keyof Planes, number>>, variant: number, overrides = {}) => {
    const planes = Object.fromEntries(
      PLANES.map((name) => [name, Float32Array.of(values[name] ?? 0)]),
    ) as Planes;
    const neutral = { epsInside: 0, gradScale: 1, clipValue: Infinity };
    const after = run(backend, planes, scalarsFor(variant, { ...neutral, ...overrides }));
    return Object.fromEntries(PLANES.map((name) => [name, after[name][0]!])) as Record<keyof Planes, number>;
  };

  it("does what the formula says, with numbers that are exact", () => {
    // v = 0.75·12 + 0.25·8² = 25
    const exact = {
      alpha: 0.75,
      oneMinusAlpha: 0.25,
      eps: 3,
      updateScale: 0.5,
      momentum: 0.5,
      bufferScale: 2,
    };
    const start = { param: 10, grad: 8, squareAvg: 12, momentumBuffer: 3, gradAvg: 4 };
    // d = 5 + 3, u = 0.5·8 / 8 = 0.5
    expect(one(start, 0, exact)).toMatchObject({ param: 9.5, squareAvg: 25 });
    // d = sqrt(25 + 39) + 0 = 8
    expect(one(start, 0, { ...exact, epsInside: 39, eps: 0 })).toMatchObject({ param: 9.5, squareAvg: 25 });
    // m = 0.5·3 + 0.5 = 2, p = 10 − 2·2
    expect(one(start, MOMENTUM, exact)).toMatchObject({ param: 6, momentumBuffer: 2, squareAvg: 25 });
    // p = 10 − 2·(0.5 + 0.5·2)
    expect(one(start, MOMENTUM | NESTEROV, exact)).toMatchObject({ param: 7, momentumBuffer: 2 });
    // a = 0.75·(8/3) + 0.25·8 = 4, v − a² = 25 − 16 = 9, d = 3 + 1, u = 0.5·8 / 4 = 1
    const centered = one({ ...start, gradAvg: 8 / 3 }, CENTERED, { ...exact, eps: 1 });
    expect(centered).toMatchObject({ param: 9, squareAvg: 25, gradAvg: 4 });
    // The same variance, corrected: 9/0.25 = 36, d = 6 + 2, u = 0.5·8 / 8
    const corrected = one({ ...start, gradAvg: 8 / 3 }, CENTERED | CORRECTED, {
      ...exact,
      eps: 2,
      correction: 0.25,
    });
    expect(corrected).toMatchObject({ param: 9.5, squareAvg: 25, gradAvg: 4 });
    // v = 25/0.25 = 100, d = 10 + 6, u = 4/16
    expect(one(start, CORRECTED, { ...exact, eps: 6, correction: 0.25 })).toMatchObject({
      param: 9.75,
      squareAvg: 25,
    });
    // g = −8: the same v, the step turned round
    expect(one(start, SHAPED, { ...exact, gradScale: -1 })).toMatchObject({ param: 10.5, squareAvg: 25 });
    // u = 0.5 + 0.25·10
    const decay = { ...exact, decoupledDecay: 0.25 };
    expect(one(start, DECOUPLED, decay)).toMatchObject({ param: 7, squareAvg: 25 });
    // g = 16 clipped to 8
    expect(one({ ...start, grad: 16 }, SHAPED | DECOUPLED, { ...decay, clipValue: 8 })).toMatchObject({
      param: 7,
      squareAvg: 25,
    });
    // m = 2, u = 2·2 + 0.25·10
    expect(one(start, MOMENTUM | DECOUPLED, decay)).toMatchObject({ param: 3.5, momentumBuffer: 2 });
    expect(one({ ...start, grad: -16 }, SHAPED, { ...exact, clipValue: 8 })).toMatchObject({ param: 10.5 });
    // g = 3 + 0.5·10 = 8
    expect(one({ ...start, grad: 3 }, DECAYED, { ...exact, weightDecay: 0.5 })).toMatchObject({ param: 9.5 });
    // g = 6·0.5 + 0.5·10 = 8
    expect(one({ ...start, grad: 6 }, DECAYED, { ...exact, gradScale: 0.5, weightDecay: 0.5 }).param).toBe(
      9.5,
    );
    // e = 2 + 0.25·(9.5 − 2)
    expect(one({ ...start, ema: 2 }, AVERAGED, { ...exact, emaWeight: 0.25 })).toMatchObject({
      param: 9.5,
      ema: 3.875,
    });
    // u = 0.5, d = 14 − 10 = 4, z = 14 − u, p = 10 − (0.25·0.5 − 0.5·4)
    const free = { ...exact, zShare: 0.5, stepShare: 0.25 };
    expect(one({ ...start, z: 14 }, SCHEDULE_FREE, free)).toMatchObject({ param: 11.875, z: 13.5 });
    // The decay is of p, where the gradient was taken: u = 0.5 + 0.25·10 = 3
    expect(
      one({ ...start, z: 14 }, SCHEDULE_FREE | DECOUPLED, { ...free, decoupledDecay: 0.25 }),
    ).toMatchObject({ param: 11.25, z: 11 });
    // u = 0.5 − 0.5·4, and both p and the way go by it
    const learned = { ...free, growth: 0.5 };
    expect(one({ ...start, moved: 4 }, LEARNED, learned)).toMatchObject({ param: 11.5, moved: 5.5 });
    expect(
      one({ ...start, moved: 4 }, LEARNED | CORRECTED, { ...learned, eps: 6, correction: 0.25 }),
    ).toMatchObject({ param: 11.75, moved: 5.75 });
    // The way is that of z: 14 + 1.5, p = 10 − (0.25·(−1.5) − 0.5·4)
    expect(one({ ...start, z: 14, moved: 4 }, LEARNED | SCHEDULE_FREE, learned)).toMatchObject({
      param: 12.375,
      z: 15.5,
      moved: 5.5,
    });
    expect(one(start, ZEROED, exact)).toMatchObject({ param: 9.5, grad: 0 });
  });

  it("turns denormals to zero in every plane but the gradient when it flushes, and nothing else", () => {
    const all = MOMENTUM | CENTERED | AVERAGED | SCHEDULE_FREE | LEARNED | FLUSHED;
    const tiny = 2 ** -127;
    // Gradients of 0: v and a stay by an alpha of 1, m by a momentum of 1, p by a learning rate of 0.
    const still = {
      alpha: 1,
      oneMinusAlpha: 0,
      momentum: 1,
      updateScale: 0,
      bufferScale: 0,
      emaWeight: 0,
      zShare: 0,
      growth: 0,
    };
    for (const value of [tiny, 2 ** -126]) {
      const values = {
        param: -value,
        squareAvg: value,
        momentumBuffer: -value,
        gradAvg: value,
        ema: -value,
        z: value,
        moved: -value,
      };
      expect(one(values, all & ~FLUSHED, still)).toEqual({ ...values, grad: 0 });
      const zeros = { param: 0, squareAvg: 0, momentumBuffer: 0, gradAvg: 0, ema: 0, z: 0, moved: 0 };
      expect(one(values, all, still)).toEqual({ ...(value === tiny ? zeros : values), grad: 0 });
    }
  });

  it("keeps what a small alpha keeps, to the last bit, and what an alpha of 1 keeps whatever the gradient", () => {
    // Moved by a share of the difference, both averages would be 0: 1e-10 is lost beside 1.
    const forgetful = { alpha: 0, oneMinusAlpha: 1 };
    const small = { grad: 2 ** -20, squareAvg: 1, gradAvg: 1 };
    expect(one(small, CENTERED, forgetful)).toMatchObject({ squareAvg: 2 ** -40, gradAvg: 2 ** -20 });
    const faithful = { alpha: 1, oneMinusAlpha: 0 };
    expect(one({ grad: 3e38, squareAvg: 4, gradAvg: 1 }, CENTERED, faithful)).toMatchObject({
      squareAvg: 4,
      gradAvg: 1,
    });
  });

  it("keeps the square average finite, so that an element hit by a huge gradient goes on learning", () => {
    const largest = (2 - 2 ** -23) * 2 ** 127;
    expect(one({ grad: 3e38 }, 0)).toMatchObject({ squareAvg: largest });
    expect(one({ grad: 1, squareAvg: largest }, 0).squareAvg).toBe(Math.fround(0.9375 * largest));
  });

  it("clamps a variance that cancellation left below zero", () => {
    const { param, squareAvg, gradAvg } = one({ param: 1, grad: 1, squareAvg: 1, gradAvg: 2 }, CENTERED);
    expect(squareAvg - gradAvg * gradAvg).toBeLessThan(0);
    expect(param).toBe(Math.fround(1 - Math.fround(Math.fround(0.0123) / Math.fround(1e-6))));
  });

  it("lets NaN through, so that it is seen", () => {
    for (const { variant } of VARIANTS) {
      expect(one({ grad: NaN }, variant)).toMatchObject({ param: NaN, squareAvg: NaN });
      expect(one({ squareAvg: NaN, grad: 1 }, variant).param).toBeNaN();
    }
  });

  it("changes no bit by a neutral number: a zero keeps its sign, and an infinite parameter spoils nothing", () => {
    for (const grad of [0, -0, 1, -Infinity, NaN]) {
      for (const param of [0, -0, 1, Infinity]) {
        expect(one({ param, grad }, SHAPED)).toEqual(one({ param, grad }, 0));
      }
    }
  });
});
