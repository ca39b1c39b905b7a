/** Steps by rows: they are dense steps in which the other rows have no gradient, exactly or lazily. */

import fc from "fast-check";
import type { Options } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { exact, power, relativeError, times } from "../support/exact.ts";
import { seeded } from "../support/kernels.ts";
import { snapshot, VARIANTS } from "../support/runs.ts";
import {
  as,
  every,
  InFloat64,
  MOVING,
  ROWS,
  rms,
  rowsAt,
  shapes,
  valuesOf,
  WIDTH,
  write,
} from "../support/table.ts";

const isCoupled = ({ weightDecay = 0, decoupledWeightDecay }: Options) =>
  weightDecay > 0 && !decoupledWeightDecay;

describe.each(ALL_ENTRIES)("$entry", ({ make, backend, real }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), options));
    expect(made.backend).toBe(backend);
    return made;
  };

  it.each(VARIANTS)("gives a dense run's bits where every row is named: $name", ({ options, step }) => {
    for (const sparse of ["exact", "lazy", undefined] as const) {
      if (sparse !== "lazy" && isCoupled(options)) continue;
      const [dense, byRows] = [tables(options), tables({ ...options, sparse })];
      for (let i = 0; i < 3; i++) {
        const shuffled = [...every].sort((a, b) => ((a * 7 + i) % 23) - ((b * 7 + i) % 23));
        for (const optimizer of [dense, byRows]) write(optimizer, every, i);
        dense.step(step);
        byRows.step({ ...step, rows: { e: [...shuffled, 3, 3, 0] } });
        expect(valuesOf(byRows)).toEqual(valuesOf(dense));
        expect(byRows.grads.e).toEqual(dense.grads.e);
      }
    }
  });

  it("moves rows that come back by powers of alpha, within 2 ulp", () => {
    const digits = real.bytes === 4 ? 24 : 53;
    const optimizer = tables({ alpha: 0.9, centered: true });
    const { squareAvg, gradAvg } = optimizer.state.e!;
    const last = new Map<number, number>();
    for (let step = 0; step < 200; step++) {
      const rows = new Set(rowsAt(step));
      write(optimizer, rows, step);
      const before = { squareAvg: squareAvg.slice(), gradAvg: gradAvg!.slice() };
      optimizer.catchUp({ e: [...rows] });
      for (const row of every) {
        const idle = rows.has(row) ? step - (last.get(row) ?? 0) : 0;
        for (let i = row * WIDTH; i < (row + 1) * WIDTH; i++) {
          for (const [now, then] of [
            [squareAvg, before.squareAvg],
            [gradAvg!, before.gradAvg],
          ] as const) {
            const wanted = times(exact(then[i]!), power(0.9, idle));
            expect(relativeError(now[i]!, wanted)).toBeLessThanOrEqual(2 * 2 ** -digits);
          }
        }
      }
      optimizer.step({ rows: { e: [...rows] } });
      for (const row of rows) last.set(row, step + 1);
    }
  });

  it.each(MOVING)("is where a dense run is, and as near to float64: %o", (options) => {
    const all = { eps: 1e-3, ...options };
    const [dense, byRows] = [tables(all), tables(all)];
    const inFloat64 = new InFloat64(all);
    for (let step = 0; step < 300; step++) {
      const rows = rowsAt(step);
      for (const optimizer of [dense, byRows]) write(optimizer, rows, step);
      byRows.catchUp({ e: rows });
      byRows.step({ rows: { e: rows } });
      dense.step();
      inFloat64.step(dense.grads.e!, step);
    }
    byRows.catchUp();
    for (const plane of ["param", "squareAvg", "momentumBuffer", "gradAvg", "ema"] as const) {
      const [ours, theirs] = [byRows, dense].map((o) => o.stateDict().tensors.e![plane]);
      if (!ours || !theirs) continue;
      const distance = (values: Float32Array) => rms(values.map((value, i) => value - inFloat64[plane][i]!));
      expect(distance(ours)).toBeLessThanOrEqual(1.1 * distance(theirs) + 1e-12);
      const scale = rms(Float32Array.from(inFloat64[plane]));
      expect(distance(ours) / scale).toBeLessThan(real.bytes === 4 ? 3e-6 : 1e-14);
    }
  });

  it("leaves rows that aren't named where they are, lazily", () => {
    for (const options of [
      { momentum: 0.9 },
      { weightDecay: 0.1 },
      { ema: { decay: 0.9 } },
      { centered: true },
    ]) {
      const optimizer = tables({ ...options, sparse: "lazy" });
      for (let step = 0; step < 70; step++) {
        const rows = rowsAt(step);
        write(optimizer, every, step); // gradients that nobody may look at
        const before = optimizer.stateDict().tensors.e!;
        optimizer.catchUp();
        optimizer.step({ rows: { e: rows }, zeroGrad: true });
        const after = optimizer.stateDict().tensors.e!;
        for (const plane of ["param", "squareAvg", "momentumBuffer", "gradAvg", "ema"] as const) {
          for (const row of every) {
            const [was, is] = [before, after].map((state) =>
              state[plane]?.subarray(row * WIDTH, (row + 1) * WIDTH),
            );
            if (!rows.includes(row)) expect(is).toEqual(was);
          }
        }
        for (const row of every) {
          const isClear = optimizer.grads.e!.subarray(row * WIDTH, (row + 1) * WIDTH).every((g) => g === 0);
          expect(isClear).toBe(rows.includes(row));
        }
      }
    }
  });

  it("takes dense steps between, as ever", () => {
    const [dense, mixed] = [tables({ centered: true }), tables({ centered: true })];
    for (let step = 0; step < 12; step++) {
      const rows = step % 3 === 1 ? rowsAt(step) : every;
      for (const optimizer of [dense, mixed]) write(optimizer, rows, step);
      dense.step();
      mixed.step(step % 3 === 1 ? { rows: { e: rows } } : {});
    }
    const [ours, theirs] = [mixed, dense].map(({ params }) => params.e!);
    expect(rms(ours!.map((p, i) => p - theirs![i]!))).toBeLessThan(1e-6);
    expect(mixed.stateDict().tensors.e!.rowSteps).toEqual(new Uint32Array(ROWS).fill(12));
  });

  it("counts under the hyperparameters of each time", () => {
    const [dense, byRows] = [tables({ alpha: 0.9 }), tables({ alpha: 0.9 })];
    for (let step = 0; step < 30; step++) {
      if (step === 10) for (const { groups } of [dense, byRows]) groups[0].alpha = 0.5;
      if (step === 20) for (const { groups } of [dense, byRows]) groups[0].momentum = 0.9;
      for (const optimizer of [dense, byRows]) write(optimizer, rowsAt(step), step);
      byRows.catchUp({ e: rowsAt(step) });
      byRows.step({ rows: { e: rowsAt(step) } });
      dense.step();
    }
    byRows.catchUp();
    for (const plane of ["param", "squareAvg"] as const) {
      const [ours, theirs] = [byRows, dense].map((o) => o.stateDict().tensors.e![plane]);
      expect(rms(ours!.map((value, i) => value - theirs![i]!)) / rms(theirs!)).toBeLessThan(1e-6);
    }
  });

  it("brings rows up to date before the averages are put in", () => {
    const options = { ema: { decay: 0.9 } };
    const [dense, byRows] = [tables(options), tables(options)];
    for (let step = 0; step < 20; step++) {
      for (const optimizer of [dense, byRows]) write(optimizer, rowsAt(step), step);
      byRows.step({ rows: { e: rowsAt(step) } });
      dense.step();
    }
    for (const optimizer of [dense, byRows]) optimizer.swapEma();
    expect(rms(byRows.params.e!.map((p, i) => p - dense.params.e![i]!))).toBeLessThan(1e-6);
    expect(() => byRows.catchUp()).toThrow(/swapEma/);
  });

  it("takes a step by all rows for a dense one, in tables of any shape", () => {
    const anyShape = fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }));
    const anyOptions = fc.constantFrom<Options>(...MOVING, { rowwiseState: true }, { globalClipNorm: 0.1 });
    const anySteps = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(anyShape, anyOptions, anySteps, fc.integer(), (shape, options, areByRows, seed) => {
        const [dense, byRows] = [0, 1].map(() => as(make({ e: shape, b: [3] }, options)));
        const all = Array.from({ length: shape[0] }, (_, row) => row).reverse();
        areByRows.forEach((isByRows, step) => {
          for (const optimizer of [dense!, byRows!]) {
            const next = seeded(seed + step);
            for (const grad of Object.values(optimizer.grads)) grad.set(grad.map(() => next() / 2 ** 31 - 1));
          }
          dense!.step();
          byRows!.step(isByRows ? { rows: { e: all } } : {});
        });
        expect(valuesOf(byRows!)).toEqual(valuesOf(dense!));
        expect(byRows!.gradNorm).toBe(dense!.gradNorm);
      }),
      { numRuns: 30 },
    );
  });
});

describe.each([
  ["float32", ALL_ENTRIES.filter(({ real }) => real.bytes === 4)],
  ["float64", ALL_ENTRIES.filter(({ real }) => real.bytes === 8)],
] as const)("every entry of %s", (_, entries) => {
  const others: Options[] = [
    { sparse: "lazy", momentum: 0.9, weightDecay: 0.1 },
    { rowwiseState: true, biasCorrection: true },
    { centered: true, globalClipNorm: 0.5 },
  ];

  it.each([...MOVING, ...others])("gives the same bits: %o", (options) => {
    expect(new Set(entries.map(({ backend }) => backend))).toEqual(new Set(["wasm", "js"]));
    const [first, ...crew] = entries.map(({ make }) => as(make(shapes(), options)));
    for (let step = 0; step < 80; step++) {
      for (const optimizer of [first!, ...crew]) {
        write(optimizer, rowsAt(step), step);
        optimizer.catchUp({ e: rowsAt(step) });
        optimizer.step({ rows: { e: rowsAt(step) } });
      }
    }
    for (const optimizer of crew) expect(snapshot(optimizer)).toEqual(snapshot(first!));
  });
});
