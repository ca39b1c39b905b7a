/** A median between its quartiles. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

export function spreadOf(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.round(share * (sorted.length - 1))]!);
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** Four digits: more is noise, and the files are read in reviews. */
export const round = (value: number): number => Number(value.toPrecision(4));
