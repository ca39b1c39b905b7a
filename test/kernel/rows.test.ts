/** Rows by lists: every backend gives the bits of an update of each row by itself, and nothing between them changes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { power } from "../../src/base/power.ts";
import {
  AVERAGED,
  BY_ROW,
  CENTERED,
  CORRECTED,
  DECOUPLED,
  FLUSHED,
  IDLE,
  LEARNED,
  MOMENTUM,
  MOVES,
  MOVES_BYTES,
  NESTEROV,
  POWERS,
  ROWWISE,
  UNMOVED,
  ZEROED,
} from "../../src/kernel/contract.ts";
import { PLANES, type Plane, type Segment } from "../../src/kernel/segment.ts";
import {
  ALL_VARIANTS,
  bitsOf,
  GUARD_WORD,
  haveSameBits,
  KERNELS,
  ordinaryPlanes,
  type Planes,
  run,
  scalarsFor,
  VARIANTS,
} from "../support/kernels.ts";

/** A row of a list that has missed steps, and the factors of what moves beside averages; by default, nothing does. */
interface Behind extends Partial<Record<(typeof MOVES)[number], number>> {
  row: number;
  missed: number;
}

/** The way in which a kernel gets to know the steps that rows have missed. */
interface Form {
  averageKept: number;
  hasMoves?: boolean;
  hasPowers?: boolean;
  isByRow?: boolean;
}

const NOW = 1000;
const MOST_ROWS = 512;
const [STEPS, LIST, TABLE, ENTRIES] = [4096, 8192, 12_288, 16_384];
const FIRST_WORD = ENTRIES / 4 + MOST_ROWS * MOVES.length * 2;

/** A tensor of rows in a memory of its own, each plane with `shift` elements before it and a guard on both sides. */
function tensorOf(backend: string, planes: Planes, width: number, shift = 0) {
  const { length } = planes.param;
  const stride = length + 32;
  const end = FIRST_WORD + PLANES.length * stride;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((end * 4) / 65_536) });
  const kernel = KERNELS[backend]!(memory);
  expect(kernel.backend).toBe(backend);
  const words = new Uint32Array(memory.buffer).fill(GUARD_WORD);
  const heap = new Float32Array(memory.buffer);
  const segment = { count: width } as Segment;
  PLANES.forEach((name, i) => {
    const at = FIRST_WORD + i * stride + 16 + shift;
    heap.set(planes[name], at);
    segment[name] = at * 4;
  });
  const after = (): Planes => {
    const isInside = (word: number) =>
      PLANES.some((name) => word >= segment[name] / 4 && word < segment[name] / 4 + length);
    for (let i = FIRST_WORD; i < words.length; i++) {
      if (words[i] !== GUARD_WORD && !isInside(i))
        throw new Error(`word ${i} outside the planes was changed`);
    }
    const read = (name: Plane) => heap.slice(segment[name] / 4, segment[name] / 4 + length);
    return Object.fromEntries(PLANES.map((name) => [name, read(name)])) as Planes;
  };
  return {
    after,
    updateRows(
      rows: readonly number[],
      scalars: ReturnType<typeof scalarsFor>,
      behind: readonly Behind[] = [],
      { averageKept, hasMoves, hasPowers, isByRow }: Form = { averageKept: 1 },
    ) {
      words.set(rows, LIST / 4);
      const steps = rows.map((row) => NOW - (behind.find((other) => other.row === row)?.missed ?? 0));
      if (isByRow) for (const [i, row] of rows.entries()) words[STEPS / 4 + row] = steps[i]!;
      else words.set(steps, STEPS / 4);
      const list = new Float64Array(memory.buffer, ENTRIES, rows.length * MOVES.length);
      rows.forEach((row, i) => {
        const entry = behind.find((other) => other.row === row);
        MOVES.forEach((name, k) => {
          list[i * MOVES.length + k] = entry?.[name] ?? UNMOVED[k]!;
        });
      });
      const powers = Float64Array.from({ length: POWERS }, (_, exponent) => power(averageKept, exponent));
      new Float64Array(memory.buffer, TABLE, POWERS).set(powers);
      kernel.updateRows(
        segment,
        { ...scalars, variant: scalars.variant | (isByRow ? BY_ROW : 0) },
        {
          ptr: LIST,
          count: rows.length,
          steps: STEPS,
          now: NOW,
          averageKept,
          powers: hasPowers ? TABLE : 0,
          moves: hasMoves ? ENTRIES : 0,
        },
      );
      return after();
    },
  };
}

/** The rows of these planes, one after the other, by one update of the reference each. */
function inTurn(planes: Planes, width: number, rows: readonly number[], variant: number): Planes {
  const result = mapPlanes(planes, (values) => values.slice());
  for (const row of rows) {
    const part = mapPlanes(planes, (values) => values.slice(row * width, (row + 1) * width));
    const updated = run("js", part, scalarsFor(variant));
    for (const name of PLANES) result[name].set(updated[name], row * width);
  }
  return result;
}

function mapPlanes(planes: Planes, map: (values: Float32Array) => Float32Array): Planes {
  return Object.fromEntries(PLANES.map((name) => [name, map(planes[name])])) as Planes;
}

const LISTS = [[], [0], [18], [3, 4, 5], [18, 0, 7, 8, 9, 2], Array.from({ length: 19 }, (_, i) => i)];

it("counts the bytes of an entry by its numbers", () => {
  expect(MOVES_BYTES).toBe(MOVES.length * 8);
});

describe.each(Object.keys(KERNELS))("backend %s", (backend) => {
  it.each(Array.from({ length: 17 }, (_, i) => i + 1))("updates rows of %i, at every alignment", (width) => {
    for (const { variant } of VARIANTS) {
      for (const [i, rows] of LISTS.entries()) {
        const planes = ordinaryPlanes(19 * width, width + i);
        const after = tensorOf(backend, planes, width, (i + width) % 4).updateRows(rows, scalarsFor(variant));
        expect(bitsOf(after)).toEqual(bitsOf(inTurn(planes, width, rows, variant)));
      }
    }
  });

  it("updates rows in every combination of options", () => {
    // Without those of a learned rate, which takes no steps by rows.
    for (const { variant, name } of ALL_VARIANTS.filter(({ variant }) => !(variant & LEARNED))) {
      const planes = ordinaryPlanes(19 * 13, variant);
      const after = tensorOf(backend, planes, 13).updateRows([18, 0, 7, 8], scalarsFor(variant));
      expect(haveSameBits(after, inTurn(planes, 13, [18, 0, 7, 8], variant)), name).toBe(true);
    }
  });

  it("updates rows of more elements than a piece has", () => {
    const planes = ordinaryPlanes(3 * 2051, 5);
    const variant = AVERAGED | MOMENTUM;
    const after = tensorOf(backend, planes, 2051, 1).updateRows([2, 0], scalarsFor(variant));
    expect(bitsOf(after)).toEqual(bitsOf(inTurn(planes, 2051, [2, 0], variant)));
  });

  const factor = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: -2, max: 2, noNaN: true }));
  const anyMoves = fc.record({
    row: fc.nat(6),
    missed: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: NOW })),
    momentumKept: factor,
    paramKept: factor,
    paramOfMomentum: factor,
    emaKept: factor,
    emaOfParam: factor,
    emaOfMomentum: factor,
  });
  const anyBehind = fc.uniqueArray(anyMoves, { selector: ({ row }) => row, minLength: 1, maxLength: 6 });
  const anyForm = fc.record({
    averageKept: fc.oneof(fc.constantFrom(0, 1, 0.99), fc.double({ min: 0, max: 1, noNaN: true })),
    hasMoves: fc.boolean(),
    hasPowers: fc.boolean(),
    isByRow: fc.boolean(),
  });

  it("catches rows up by a power and the products of the entries, in double and rounded once", () => {
    const anyVariant = fc.constantFrom(0, MOMENTUM, CENTERED, AVERAGED, MOMENTUM | CENTERED | AVERAGED);
    fc.assert(
      fc.property(
        anyBehind,
        anyForm,
        fc.integer({ min: 1, max: 17 }),
        anyVariant,
        fc.integer(),
        (behind, form, width, variant, seed) => {
          const planes = ordinaryPlanes(7 * width, seed);
          const expected = mapPlanes(planes, (values) => values.slice());
          const { param, momentumBuffer: m, ema, squareAvg, gradAvg } = planes;
          for (const { row, missed, ...moves } of behind) {
            if (missed === 0) continue;
            const averageKept = power(form.averageKept, missed);
            const factors = MOVES.map((name, i) => (form.hasMoves ? moves[name] : UNMOVED[i]!));
            const [momentumKept, paramKept, paramOfMomentum, emaKept, emaOfParam, emaOfMomentum] =
              factors as [number, number, number, number, number, number];
            for (let i = row * width; i < (row + 1) * width; i++) {
              const rounded = (value: number) => (Math.abs(Math.fround(value)) < 2 ** -126 ? 0 : value);
              expected.squareAvg[i] = rounded(averageKept * squareAvg[i]!);
              expected.param[i] = rounded(paramKept * param[i]! + paramOfMomentum * m[i]!);
              if (variant & MOMENTUM) expected.momentumBuffer[i] = rounded(momentumKept * m[i]!);
              if (variant & CENTERED) expected.gradAvg[i] = rounded(averageKept * gradAvg[i]!);
              if (variant & AVERAGED) {
                const sum = emaKept * ema[i]! + emaOfParam * param[i]!;
                expected.ema[i] = rounded(sum + emaOfMomentum * m[i]!);
              }
            }
          }
          const rows = behind.map(({ row }) => row);
          const [after, onReference] = [backend, "js"].map((name) =>
            tensorOf(name, planes, width, seed & 3).updateRows(
              rows,
              scalarsFor(variant | IDLE),
              behind,
              form,
            ),
          );
          expect(withoutSigns(after!)).toEqual(withoutSigns(expected));
          expect(bitsOf(after!)).toEqual(bitsOf(onReference!));
        },
      ),
    );
  });

  it("brings rows up to date before it updates them", () => {
    const variants = [0, MOMENTUM, CENTERED | AVERAGED, MOMENTUM | CENTERED | AVERAGED];
    fc.assert(
      fc.property(anyBehind, anyForm, fc.constantFrom(...variants), (behind, form, variant) => {
        const planes = ordinaryPlanes(7 * 13, variant);
        const rows = behind.map(({ row }) => row);
        const idle = scalarsFor(variant | IDLE);
        const caughtUp = tensorOf(backend, planes, 13).updateRows(rows, idle, behind, form);
        const expected = inTurn(caughtUp, 13, rows, variant);
        const after = tensorOf(backend, planes, 13, 1).updateRows(rows, scalarsFor(variant), behind, form);
        expect(bitsOf(after)).toEqual(bitsOf(expected));
      }),
    );
  });

  it("takes lists of any length, pieces of which are read ahead", () => {
    for (const [width, count] of [
      [1, 127],
      [1, 128],
      [2, 129],
      [1, 400],
      [100, 81],
      [100, 83],
      [9000, 3],
    ] as const) {
      const planes = ordinaryPlanes(count * width, width);
      const rows = Array.from({ length: count }, (_, i) => (i * 7 + 3) % count);
      const behind = rows.map((row) => ({ row, missed: row % 5 }));
      const form = { averageKept: 0.9, hasMoves: width === 2, hasPowers: count > 128 };
      const [ours, theirs] = [backend, "js"].map((name) =>
        tensorOf(name, planes, width).updateRows(rows, scalarsFor(MOMENTUM), behind, form),
      );
      expect(bitsOf(ours!)).toEqual(bitsOf(theirs!));
    }
  });

  it("updates rows that have one mean square each as the reference does, at every alignment", () => {
    for (let width = 1; width <= 17; width++) {
      for (const variant of [
        0,
        MOMENTUM,
        MOMENTUM | NESTEROV | DECOUPLED,
        CORRECTED | AVERAGED,
        FLUSHED | ZEROED,
      ]) {
        for (const overrides of [{}, { oneMinusAlpha: 0.75, alpha: 0.25 }]) {
          const planes = ordinaryPlanes(19 * width, width + variant);
          const scalars = scalarsFor(variant | ROWWISE, overrides);
          const [ours, theirs] = [backend, "js"].map((kernel) =>
            tensorOf(kernel, planes, width, width % 4).updateRows(
              [18, 0, 3],
              scalars,
              [{ row: 3, missed: 2 }],
              { averageKept: 0.5 },
            ),
          );
          expect(bitsOf(ours!)).toEqual(bitsOf(theirs!));
          // One average for a row, and none behind the last.
          const touched = [...ours!.squareAvg.keys()].filter(
            (i) => ours!.squareAvg[i] !== planes.squareAvg[i],
          );
          expect(touched).toEqual([0, 3, 18]);
        }
      }
    }
  });

  it("takes infinities and NaN in a row as the reference does", () => {
    for (const bad of [Infinity, -Infinity, NaN, 3e38, 1e-45, -0]) {
      const planes = ordinaryPlanes(3 * 6, 1);
      planes.grad.fill(bad, 6, 8);
      const [ours, theirs] = [backend, "js"].map((kernel) =>
        tensorOf(kernel, planes, 6).updateRows([0, 1, 2], scalarsFor(MOMENTUM | ROWWISE)),
      );
      expect(bitsOf(ours!)).toEqual(bitsOf(theirs!));
      expect(ours!.squareAvg[1]).not.toBe(Infinity);
    }
  });

  it("catches up without a term whose factor is 0, whatever it would be multiplied with", () => {
    const planes = ordinaryPlanes(9, 1);
    planes.momentumBuffer.fill(Infinity);
    planes.param[4] = -Infinity;
    const behind = [{ row: 0, missed: 1, momentumKept: 0.5 }];
    const form = { averageKept: 1, hasMoves: true };
    const idle = scalarsFor(MOMENTUM | AVERAGED | IDLE);
    const after = tensorOf(backend, planes, 9).updateRows([0], idle, behind, form);
    expect(bitsOf(after)).toEqual(bitsOf(planes));
  });

  it("leaves no denormal in a row that it catches up, and others as they are", () => {
    const tiny = (count: number) =>
      Float32Array.from({ length: count }, (_, i) => (i - (count >> 1)) * 2 ** -127);
    const planes = mapPlanes(ordinaryPlanes(15, 1), () => tiny(15));
    const idle = scalarsFor(MOMENTUM | CENTERED | AVERAGED | IDLE);
    for (const hasMoves of [false, true]) {
      const form = { averageKept: 1, hasMoves };
      const after = tensorOf(backend, planes, 5).updateRows([1], idle, [{ row: 1, missed: 9 }], form);
      const expected = tiny(15).map((x, i) => (i >= 5 && i < 10 && Math.abs(x) < 2 ** -126 ? 0 : x));
      const untouched: readonly string[] = ["grad", "z", "moved"];
      for (const name of PLANES)
        expect(after[name]).toEqual(untouched.includes(name) ? planes[name] : expected);
    }
  });
});

/** `toEqual` tells 0 from -0, which the expectation above doesn't compute. */
function withoutSigns(planes: Planes): Planes {
  return mapPlanes(planes, (values) => values.map((value) => value + 0));
}
