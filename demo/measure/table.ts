/** Results as rows: their figures and the lengths of their bars. */
import type { Check, Measured } from "./messages.ts";

export interface Row {
  way: string;
  title: string;
  nsPerElement: number;
  gbPerSecond: number;
  /** How many times the time of `step()` on one thread. */
  timesOfStep: number;
  /** The bar's share of the longest one: longer is faster. */
  share: number;
  check: Check;
}

export interface SizeRows {
  title: string;
  rows: Row[];
}

/** A block for each size. Of a way that was measured twice, as `step()` beside tf.js, the first result stands. */
export function rowsOf(all: readonly Measured[]): SizeRows[] {
  const fastest = Math.max(...all.flatMap(({ records }) => records.map(({ gbPerSecond }) => gbPerSecond)));
  const bySize = new Map<string, Row[]>();
  for (const { records, checks } of all) {
    for (const { work, way, title, nsPerElement, gbPerSecond, timesOf } of records) {
      const rows = bySize.get(work) ?? [];
      bySize.set(work, rows);
      if (rows.some((row) => row.way === way)) continue;
      rows.push({
        way,
        title,
        nsPerElement: nsPerElement.median,
        gbPerSecond,
        timesOfStep: timesOf.step ?? 1,
        share: gbPerSecond / fastest,
        check: checks[way]!,
      });
    }
  }
  return [...bySize].map(([title, rows]) => ({ title, rows }));
}

/** The text that the button copies. */
export function resultText(all: readonly Measured[], machine: object): string {
  return JSON.stringify(
    { date: new Date().toISOString(), machine, records: all.flatMap(({ records }) => records) },
    null,
    2,
  );
}
