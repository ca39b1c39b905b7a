/** The verdict on the machine: how far the rounds of one measurement lie apart. */
import type { BenchRecord } from "./result.ts";

/** Half of a way's rounds lie within this share of their median, in the middle one of all measurements. */
export function noiseOf(records: readonly BenchRecord[]): number {
  const spreads = records.map(({ nsPerElement: { low, median, high } }) => (high - low) / median);
  spreads.sort((a, b) => a - b);
  return spreads[spreads.length >> 1] ?? 0;
}

export function noiseVerdict(records: readonly BenchRecord[]): string {
  const noise = noiseOf(records);
  const said = `Half of the rounds lie within ${(100 * noise).toFixed(0)} % of each other`;
  if (noise < 0.05) return `A quiet machine. ${said}: times and ratios can be trusted.`;
  if (noise < 0.15) {
    return `Some noise. ${said}: trust the ratios, which are taken within a round, more than the times.`;
  }
  return `A busy machine. ${said}: end other programs, and measure again before you quote a figure.`;
}
