import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roundedOut, short } from "../../demo/page/numbers.ts";
import { byPower, decay } from "../../demo/page/scales.ts";

describe("numbers", () => {
  it.each([
    [0.0123, "0.012"],
    [-0.5, "−0.5"],
    [1234.5, "1235"],
    [0, "0"],
    [1e-7, "10⁻⁷"],
    [2.5e-8, "2.5·10⁻⁸"],
    [-3e6, "−3·10⁶"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("%d is written %s", (value, text) => {
    expect(short(value)).toBe(text);
  });
});

const positive = fc.double({ min: 1e-12, max: 1e12, noNaN: true });

describe("the ends of a logarithmic axis", () => {
  it("have one digit, are apart, and leave nothing out", () => {
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const [least, greatest] = [Math.min(a, b), Math.max(a, b)];
        const [low, high] = roundedOut(least, greatest);
        // The last bits of a power of ten aren't for an axis to show.
        expect(low <= least * (1 + 1e-12) && high >= greatest * (1 - 1e-12) && high > low).toBe(true);
        for (const end of [low, high]) expect(end.toExponential()).toMatch(/^\de/);
      }),
    );
  });
});

describe("a slider", () => {
  it.each([
    ["by its power of ten", byPower, [1e-10, 0.02, 0.15, 1]],
    ["of a decay", decay, [0, 0.9, 0.95, 0.99, 0.999]],
  ] as const)("%s stands where its value is", (_, scale, values) => {
    for (const value of values) expect(scale.toValue(scale.toPosition(value))).toBeCloseTo(value, 12);
  });
});
