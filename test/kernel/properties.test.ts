/** Properties that hold for every input, on both backends. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AVERAGED, CENTERED, FLUSHED, MOMENTUM, SCHEDULE_FREE } from "../../src/kernel/contract.ts";
import { PLANES } from "../../src/kernel/segment.ts";
import {
  bits,
  bitsOf,
  KERNELS,
  ordinaryPlanes,
  type Planes,
  run,
  scalarsFor,
  VARIANTS,
} from "../support/kernels.ts";

const anyVariant = fc.constantFrom(...VARIANTS.map(({ variant }) => variant));
const anyPlanes = fc
  .record({ count: fc.integer({ min: 1, max: 70 }), seed: fc.integer() })
  .map(({ count, seed }) => ordinaryPlanes(count, seed));
/** Averages move by another formula from 0.5 down, and at 1. */
const anyAlpha = fc.constantFrom(0, 0.25, 0.5 - 2 ** -25, 0.5, 0.5 + 2 ** -24, 0.9375, 1 - 2 ** -24, 1);
const anyFloat = fc.float({ noNaN: true, noDefaultInfinity: true });

describe.each(Object.keys(KERNELS))("backend %s", (backend) => {
  it("gives the same bits however a tensor is split", () => {
    fc.assert(
      fc.property(anyPlanes, anyVariant, fc.array(fc.nat(70), { maxLength: 4 }), (planes, variant, cuts) => {
        const splits = cuts.filter((cut) => cut <= planes.param.length).sort((a, b) => a - b);
        const scalars = scalarsFor(variant);
        expect(bitsOf(run(backend, planes, scalars, { splits }))).toEqual(
          bitsOf(run(backend, planes, scalars)),
        );
      }),
    );
  });

  it("gives an element the same bits wherever it stands", () => {
    fc.assert(
      fc.property(anyPlanes, anyVariant, (planes, variant) => {
        const reversed = mapPlanes(planes, (values) => values.slice().reverse());
        const after = mapPlanes(run(backend, reversed, scalarsFor(variant)), (values) =>
          values.slice().reverse(),
        );
        expect(bitsOf(after)).toEqual(bitsOf(run(backend, planes, scalarsFor(variant))));
      }),
    );
  });

  it("agrees with the reference on any finite numbers at all", () => {
    const anyFloats = fc.array(fc.tuple(...PLANES.map(() => anyFloat)), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(
        anyFloats,
        anyVariant,
        anyFloat,
        anyFloat,
        anyAlpha,
        (rows, variant, weightDecay, lr, alpha) => {
          const planes = Object.fromEntries(
            PLANES.map((name, i) => [
              name,
              Float32Array.from(rows, (row) => (i === 2 ? Math.abs(row[i]!) : row[i]!)),
            ]),
          ) as Planes;
          const scalars = scalarsFor(variant, {
            weightDecay,
            bufferScale: lr,
            alpha,
            oneMinusAlpha: 1 - alpha,
          });
          expect(bitsOf(run(backend, planes, scalars))).toEqual(bitsOf(run("js", planes, scalars)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("changes no parameter with a learning rate of 0", () => {
    fc.assert(
      fc.property(anyPlanes, anyVariant, (planes, variant) => {
        const still = { updateScale: 0, bufferScale: 0, decoupledDecay: 0, zShare: 0, growth: 0 };
        const after = run(backend, planes, scalarsFor(variant & ~FLUSHED, still));
        expect(after.param).toEqual(planes.param);
      }),
    );
  });

  it("scales the square average by the square of what scales the gradient, exactly for a power of two", () => {
    fc.assert(
      fc.property(anyPlanes, fc.integer({ min: -8, max: 8 }), (planes, exponent) => {
        const scale = 2 ** exponent;
        const scaled = {
          ...planes,
          grad: planes.grad.map((g) => g * scale),
          squareAvg: planes.squareAvg.map((v) => v * scale * scale),
        };
        const expected = run(backend, planes, scalarsFor(0)).squareAvg.map((v) => v * scale * scale);
        const smallest = 2 ** -100;
        fc.pre(expected.every((v) => v > smallest && v < 1 / smallest));
        expect(bits(run(backend, scaled, scalarsFor(0)).squareAvg)).toEqual(bits(expected));
      }),
    );
  });

  it("leaves no denormal in parameters and state when it flushes", () => {
    const anyTiny = fc.array(fc.float({ noNaN: true, min: Math.fround(-1e-37), max: Math.fround(1e-37) }), {
      minLength: 20,
      maxLength: 20,
    });
    fc.assert(
      fc.property(anyTiny, anyTiny, anyVariant, (state, grad, variant) => {
        const planes = mapPlanes(ordinaryPlanes(20, 1), () => Float32Array.from(state));
        planes.squareAvg = planes.squareAvg.map(Math.abs);
        planes.grad = Float32Array.from(grad);
        const { squareAvg, param, ...rest } = run(backend, planes, scalarsFor(variant | FLUSHED));
        const used = [squareAvg, param];
        if (variant & MOMENTUM) used.push(rest.momentumBuffer);
        if (variant & CENTERED) used.push(rest.gradAvg);
        if (variant & AVERAGED) used.push(rest.ema);
        if (variant & SCHEDULE_FREE) used.push(rest.z);
        const isDenormal = (value: number) => value !== 0 && Math.abs(value) < 2 ** -126;
        expect(used.flatMap((plane) => [...plane].filter(isDenormal))).toEqual([]);
      }),
    );
  });

  it("never lets a finite gradient and an ordinary state give NaN", () => {
    fc.assert(
      fc.property(
        anyPlanes,
        anyVariant,
        fc.array(anyFloat, { minLength: 70, maxLength: 70 }),
        (planes, variant, grad) => {
          const wild = { ...planes, grad: Float32Array.from(grad).slice(0, planes.param.length) };
          const after = run(backend, wild, scalarsFor(variant & (MOMENTUM | CENTERED)));
          expect([...after.squareAvg, ...after.param].filter(Number.isNaN)).toEqual([]);
        },
      ),
    );
  });
});

function mapPlanes(planes: Planes, map: (values: Float32Array) => Float32Array): Planes {
  return Object.fromEntries(PLANES.map((name) => [name, map(planes[name])])) as Planes;
}
