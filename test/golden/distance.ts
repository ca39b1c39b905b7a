/** The distance of a float32 result from a float64 run of the same mathematics, and how much of it is allowed. */
import { expect } from "vitest";
import { type Kind, SPECIAL_ELEMENTS } from "./inputs.ts";
import type { Golden, ResultName } from "./vectors.ts";

export interface Distance {
  rms: number;
  tenLargest: number;
  largest: number;
  /** One unit in the last place of the element that is the farthest off. */
  ulp: number;
}

export function distance(
  result: ArrayLike<number>,
  judge: ArrayLike<number>,
  elements: readonly number[],
  scale: (element: number) => number = () => 1,
): Distance {
  const off = (i: number) => Math.abs(result[i]! - judge[i]!) / scale(i);
  const farthest = [...elements].sort((i, j) => off(j) - off(i));
  const ten = farthest.slice(0, 10);
  return {
    rms: Math.sqrt(elements.reduce((sum, i) => sum + off(i) ** 2, 0) / elements.length),
    tenLargest: ten.reduce((sum, i) => sum + off(i), 0) / ten.length,
    largest: off(farthest[0]!),
    ulp: 2 ** (Math.floor(Math.log2(Math.abs(judge[farthest[0]!]!))) - 23),
  };
}

/** Gives the elements at which both of the framework's results are finite: ordinary ones, and those that the kind of inputs is about. */
export function finiteElements({ single, double }: Golden, kind: Kind) {
  const finite = [...single.keys()].filter((i) => Number.isFinite(single[i]) && Number.isFinite(double[i]));
  const isSpecial = (i: number) => (kind === "constant" || kind === "huge") && i < SPECIAL_ELEMENTS;
  return { ordinary: finite.filter((i) => !isSpecial(i)), special: finite.filter(isSpecial) };
}

/** Averages span 40 octaves: their distance is told relative to v, or to its root. */
export function scaleOf(name: ResultName, { squareAvg }: { squareAvg: ArrayLike<number> }) {
  const v = (i: number) => squareAvg[i] || 1;
  if (name === "squareAvg") return v;
  return name === "gradAvg" ? (i: number) => Math.sqrt(v(i)) : () => 1;
}

/**
 * Expects parameters of ours to be no farther than 1.06 times the framework's by the root mean square, than 1.2 times by
 * the mean of the ten largest deviations, and than 1.1 times by the largest one.
 *
 * The largest deviation may also be four ulps more than the framework's. It is a single element, mostly 4 to 12 of its
 * ulps away, and float32 results differ by whole ulps, so that a tenth of the distance is less than any step there is.
 * Of 154 results 7 need it, one of them 3.9 ulps; with other seeds it is others.
 */
export function expectNoFarther(ours: Distance, theirs: Distance): void {
  expect(ours.rms).toBeLessThanOrEqual(1.06 * theirs.rms);
  expect(ours.tenLargest).toBeLessThanOrEqual(1.2 * theirs.tenLargest);
  expect(ours.largest).toBeLessThanOrEqual(Math.max(1.1 * theirs.largest, theirs.largest + 4 * ours.ulp));
}
