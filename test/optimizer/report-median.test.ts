/** The median of the effective learning rates in a report: exact, in however few passes it is found. */
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { shortest, symmetric } from "../support/reports.ts";

describe.each(ENTRIES)("the median rate of a report, $entry", ({ make }) => {
  // The rates are 1 / sqrt(v) to the bit: eps is lost beside the root.
  const medianOf = (...rates: number[]) => {
    const optimizer = make({ w: [rates.length] }, { lr: 1, eps: 1e-30 });
    optimizer.state.w!.squareAvg.set(rates.map((rate) => rate ** -2));
    const { minLr, medianLr, maxLr } = optimizer.report().w!;
    expect([minLr, maxLr]).toEqual([Math.min(...rates), Math.max(...rates)].map(shortest));
    return medianLr;
  };

  it("is the middle one, or the mean of the middle two, in whatever order they stand", () => {
    expect(medianOf(8)).toBe(8);
    expect(medianOf(8, 2)).toBe(5);
    expect(medianOf(4, 0.5, 2)).toBe(2);
    expect(medianOf(1024, 0.25, 4, 2)).toBe(3);
    expect(medianOf(2 ** -40, 2 ** 40)).toBe(shortest(2 ** 39));
  });

  it("is right where rates are equal", () => {
    expect(medianOf(2, 2, 2, 2)).toBe(2);
    expect(medianOf(2, 2, 2, 4)).toBe(2);
    expect(medianOf(1, 2, 4, 4)).toBe(3);
    expect(medianOf(1, 1, 4, 4)).toBe(2.5);
    expect(medianOf(4, 1, 4, 1, 1)).toBe(1);
  });

  it.each([1, 2, 3, 10, 11, 4096, 4097])("is exact among %i rates close together or far apart", (count) => {
    for (const spread of [2 ** -21, 2 ** -12, 1, 40]) {
      const optimizer = make({ w: [count] }, { lr: 0.3, eps: 1e-4 });
      const random = symmetric(count);
      const rates = optimizer.state.w!.squareAvg.map((_, i, v) => {
        v[i] = Math.exp(random() * spread);
        const denominator = Math.fround(Math.fround(Math.sqrt(v[i]!)) + Math.fround(1e-4));
        return Math.fround(0.3) / denominator;
      });
      const { minLr, medianLr, maxLr } = optimizer.report().w!;
      const sorted = rates.slice().sort();
      const median = (sorted[Math.floor((count - 1) / 2)]! + sorted[Math.floor(count / 2)]!) / 2;
      expect([minLr, medianLr, maxLr]).toEqual([sorted[0]!, median, sorted.at(-1)!].map(shortest));
    }
  });
});
