/** Steps by rows: norms, clipping, `nonFinite` and `report` look at the rows that are named, and at no others. */

import type { Options } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { snapshot } from "../support/runs.ts";
import { as, every, shapes, valuesOf, WIDTH, write } from "../support/table.ts";

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
