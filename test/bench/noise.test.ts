/** The bench's verdict on the machine. */
import { expect, it } from "vitest";
import { noiseVerdict } from "../../bench/noise.ts";
import type { BenchRecord } from "../../bench/result.ts";

/** Records whose quartiles lie so far apart, as shares of the median. */
const recordsOf = (...spreads: number[]) =>
  spreads.map((spread) => ({
    nsPerElement: { low: 1 - spread / 2, median: 1, high: 1 + spread / 2 },
  })) as BenchRecord[];

it.each([
  ["A quiet machine", [0.01, 0.02, 0.5]],
  ["Some noise", [0.01, 0.1, 0.5]],
  ["A busy machine", [0.01, 0.2, 0.3]],
])("is %s, by the middle one of all measurements", (verdict, spreads) => {
  expect(noiseVerdict(recordsOf(...spreads))).toMatch(new RegExp(`^${verdict}\\.`));
});

it("says in percent how far half of the rounds lie apart", () => {
  expect(noiseVerdict(recordsOf(0.12))).toContain("within 12 % of each other");
});
