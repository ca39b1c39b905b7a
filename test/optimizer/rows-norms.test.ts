/** Steps by rows: norms, clipping, `nonFinite` and `report` look at the rows that are named, and at no others. */

import fc from "fast-check";
import { NonFiniteError, type Options } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { snapshot } from "../support/runs.ts";
import { as, every, ROWS, shapes, valuesOf, WIDTH, write } from "../support/table.ts";

describe.each(ALL_ENTRIES)("$entry", ({ make, backend }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), options));
    expect(made.backend).toBe(backend);
    return made;
  };

  it.each([{ globalClipNorm: 0.5 }, { clipNorm: 0.25 }])(
    "clips a step of all rows as a dense one: %o",
    (clip) => {
      const [dense, byRows] = [tables(clip), tables(clip)];
      for (const optimizer of [dense, byRows]) write(optimizer, every, 1);
      dense.step();
      byRows.step({ rows: { e: [...every].reverse() } });
      expect(valuesOf(byRows)).toEqual(valuesOf(dense));
      expect(byRows.gradNorm).toBe(dense.gradNorm);
    },
  );

  it.each([
    { globalClipNorm: 0.5 },
    { clipNorm: 0.25, nonFinite: "throw" },
    { clipValue: 0.1 },
    { globalClipNorm: 0.5, rowwiseState: true },
  ] as Options[])("clips by the rows that are named, whatever the gradients of others hold: %o", (clip) => {
    fc.assert(
      fc.property(fc.array(fc.nat(ROWS - 1)), fc.constantFrom(1e30, NaN, -Infinity), (rows, other) => {
        const [clean, littered] = [tables(clip), tables(clip)];
        for (const optimizer of [clean, littered]) write(optimizer, rows, 1);
        for (const row of every) {
          if (!rows.includes(row)) littered.grads.e!.fill(other, row * WIDTH, (row + 1) * WIDTH);
        }
        const all = [...clean.grads.e!, ...clean.grads.b!];
        for (const optimizer of [clean, littered]) {
          expect(optimizer.step({ rows: { e: rows }, gradScale: 0.5 })).toBe(true);
        }
        expect(snapshot(littered)).toEqual(snapshot(clean));
        if (clip.clipValue) return;
        expect(littered.gradNorm! / (0.5 * Math.hypot(...all))).toBeCloseTo(1, 6);
      }),
      { numRuns: 30 },
    );
  });

  it("names the table whose named rows aren't finite, and changes nothing", () => {
    const optimizer = tables({ nonFinite: "throw" });
    write(optimizer, [3, 4], 1);
    optimizer.grads.e![4 * WIDTH + 2] = NaN;
    const before = snapshot(optimizer);
    expect(() => optimizer.step({ rows: { e: [3, 4] } })).toThrow(NonFiniteError);
    expect(() => optimizer.step({ rows: { e: [4] } })).toThrow(/gradients of e hold a NaN/);
    expect(snapshot(optimizer)).toEqual(before);
    expect(optimizer.step({ rows: { e: [3] } })).toBe(true);
  });

  it("measures norms over the rows that are named, and refuses what isn't finite in them alone", () => {
    const optimizer = tables({ nonFinite: "skip" });
    optimizer.grads.e!.fill(NaN);
    optimizer.grads.e!.fill(3, 2 * WIDTH, 4 * WIDTH);
    expect(optimizer.step({ rows: { e: [3, 2, 2] } })).toBe(true);
    expect(optimizer.gradNorm).toBe(Math.sqrt(9 * 2 * WIDTH));
    const before = snapshot(optimizer);
    expect(optimizer.step({ rows: { e: [4] } })).toBe(false);
    expect({ ...(snapshot(optimizer) as object), skippedSteps: 0 }).toEqual(before);
    optimizer.report();
  });

  it("reports on the rows of the last step, whatever becomes of the caller's list", () => {
    const optimizer = tables({ lr: 0.5, alpha: 0.75, eps: 1 });
    optimizer.grads.e!.fill(NaN);
    optimizer.grads.e!.fill(2, 2 * WIDTH, 4 * WIDTH);
    const rows = Uint32Array.of(3, 2, 3);
    optimizer.step({ rows: { e: rows } });
    rows.fill(9);
    expect(optimizer.report().e).toMatchObject({
      gradRms: 2,
      nonFinite: 0,
      zeroGradShare: 0,
      minLr: 0.25,
      maxLr: 0.25,
    });
    optimizer.grads.e!.fill(0);
    optimizer.step();
    expect(optimizer.report().e).toMatchObject({ gradRms: 0, zeroGradShare: 1 });
  });
});
