/** The mathematics: every backend gives the reference's bits, wherever an element stands and whatever it holds. */
import { describe, expect, it } from "vitest";
import { FLOAT32, FLOAT64, type FloatArray, type Real } from "../../src/base/real.ts";
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
import { PLANES, type Segment } from "../../src/kernel/segment.ts";
import {
  ALL_VARIANTS,
  bitsOf,
  filled,
  haveSameBits,
  KERNELS,
  ordinaryPlanes,
  type Planes,
  run,
  scalarsFor,
  seeded,
  VARIANTS,
} from "../support/kernels.ts";

/** Eight elements make a turn of the vector loop, and 1,024 a piece, 512 of float64. */
const COUNTS = [...Array(18).keys(), 23, 24, 25, 31, 67, 511, 512, 513, 1023, 1024, 1025, 3077];
const SHIFTS = [
  [0, 0, 0, 0, 0, 0, 0, 0],
  [1, 1, 1, 1, 1, 1, 1, 1],
  [2, 0, 3, 1, 2, 3, 1, 2],
  [3, 2, 1, 0, 3, 0, 2, 3],
];
const SPECIAL = [
  0,
  -0,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  2 ** -127,
  2 ** -126,
  1e-30,
  -1e-23,
  1e19,
  -1.9e19,
  3.4e38,
  Infinity,
  -Infinity,
  NaN,
];

/** The same in float64: its smallest denormal, its smallest normal number, and numbers whose squares overflow or vanish. */
const SPECIAL_IN_FLOAT64 = [
  ...[0, -0, 1, -1, 2 ** -1074, -(2 ** -1074), 2 ** -1023, 2 ** -1022, 1e-200, -1e-161],
  ...[1e154, -1.9e154, Number.MAX_VALUE, Infinity, -Infinity, NaN],
];

/**
 * Updates planes of so many elements, at different alignments, the last one at the end of the memory, and gives the whole
 * memory with what is between them.
 */
function afterLargeUpdate(backend: string, count: number, real: Real): Uint8Array {
  const tile = ordinaryPlanes(4099, 11, real);
  const stride = (count + 5) * real.bytes;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((1024 + 3 * stride) / 65_536) });
  const segment = Object.fromEntries(PLANES.map((name) => [name, 0])) as unknown as Segment;
  for (const [i, name] of (["param", "grad", "squareAvg"] as const).entries()) {
    segment[name] = memory.buffer.byteLength - (3 - i) * stride + 5 * real.bytes;
    const plane = new real.Array(memory.buffer, segment[name], count);
    for (let at = 0; at < count; at += 4099) plane.set(tile[name].subarray(0, count - at), at);
  }
  KERNELS[backend]!(memory, real).update({ ...segment, count }, scalarsFor(0, {}, real));
  return new Uint8Array(memory.buffer);
}

describe.each(
  Object.keys(KERNELS).flatMap((backend) => [
    { backend, real: FLOAT32 as Real },
    { backend, real: FLOAT64 as Real },
  ]),
)("$real.name on backend $backend", ({ backend, real }) => {
  describe.each(VARIANTS)("$name", ({ variant }) => {
    const scalars = scalarsFor(variant, {}, real);

    it.each(COUNTS)("gives the reference's bits for %i elements at every alignment", (count) => {
      for (const shifts of SHIFTS) {
        const planes = ordinaryPlanes(count, count + 1, real);
        expect(bitsOf(run(backend, planes, scalars, { shifts }))).toEqual(bitsOf(run("js", planes, scalars)));
      }
    });

    it("gives the reference's bits for special values in body and tail", () => {
      const next = seeded(7);
      const special = real === FLOAT32 ? SPECIAL : SPECIAL_IN_FLOAT64;
      const pick = () => special[next() % special.length]!;
      const planes = Object.fromEntries(
        PLANES.map((name) => [name, filled<FloatArray>(real, 4099, pick)]),
      ) as Planes<FloatArray>;
      // State is never negative; what a checkpoint brought in is not ours to test here.
      planes.squareAvg = planes.squareAvg.map((v: number) => Math.abs(v)) as FloatArray;
      const expected = bitsOf(run("js", planes, scalars));
      expect(bitsOf(run(backend, planes, scalars))).toEqual(expected);

      const elements = Array.from({ length: 99 }, (_, i) => i * 41);
      for (const i of elements) {
        const alone = Object.fromEntries(
          PLANES.map((name) => [name, planes[name].slice(i, i + 1)]),
        ) as Planes<FloatArray>;
        const result = bitsOf(run(backend, alone, scalars));
        const words = real.bytes / 4;
        for (const name of PLANES) {
          expect(result[name]).toEqual(expected[name]!.subarray(i * words, (i + 1) * words));
        }
      }
    });

    it("leaves what it doesn't use as it was, and the gradient unless it clears it", () => {
      const planes = ordinaryPlanes(37, 3, real);
      const after = run(backend, planes, scalars);
      expect(after.grad).toEqual(variant & ZEROED ? new real.Array(37) : planes.grad);
      if (!(variant & MOMENTUM)) expect(after.momentumBuffer).toEqual(planes.momentumBuffer);
      if (!(variant & CENTERED)) expect(after.gradAvg).toEqual(planes.gradAvg);
      if (!(variant & AVERAGED)) expect(after.ema).toEqual(planes.ema);
      if (!(variant & SCHEDULE_FREE)) expect(after.z).toEqual(planes.z);
      if (!(variant & LEARNED)) expect(after.moved).toEqual(planes.moved);
    });
  });

  it("gives the reference's bits where the halves of large planes are updated side by side", () => {
    const from = 2 ** 24 / real.bytes;
    for (const count of [from - 1, from, from + 1, from + 4096 / real.bytes + 3]) {
      expect(
        Buffer.compare(afterLargeUpdate(backend, count, real), afterLargeUpdate("js", count, real)),
      ).toBe(0);
    }
  });

  it("gives the reference's bits for every combination of options", () => {
    for (const { variant, name } of ALL_VARIANTS) {
      const planes = ordinaryPlanes(67, variant, real);
      const scalars = scalarsFor(variant, {}, real);
      expect(haveSameBits(run(backend, planes, scalars), run("js", planes, scalars)), name).toBe(true);
    }
  });
});

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
