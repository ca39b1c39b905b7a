import { clearLine, cursorTo } from "node:readline";
import { type Heartbeat, heartbeat } from "../tools/heartbeat.mjs";
import type { BenchRecord, Figure, Goal, ReferenceName } from "./result.ts";

/**
 * A line that is written over while the bench runs and gone at its end. Without a terminal it is a line for each task,
 * and one every two seconds of a longer task.
 */
export class Progress {
  #task = "";
  #beat: Heartbeat | undefined;

  show(task: string, detail = ""): void {
    const isTerminal = process.stderr.isTTY;
    this.#beat ??= heartbeat("", { isOneLine: isTerminal });
    if (isTerminal || task !== this.#task) this.#beat.say(`${task} … ${detail}`);
    else this.#beat.follow(`${task} … ${detail}`);
    this.#task = task;
  }

  clear(): void {
    this.#beat?.follow("");
    if (!process.stderr.isTTY) return;
    clearLine(process.stderr, 0);
    cursorTo(process.stderr, 0);
  }
}

/** Rows of cells as text: the first column to the left, the others to the right. */
export function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const times = (value: number | undefined) => (value === undefined ? "" : `${digits(value)}×`);

/** Headings of the columns that compare. A column without a figure isn't shown. */
const headings: Partial<Record<ReferenceName, string>> = {
  step: "by step()",
  copy: "by copy",
  sameBytes: "by its copy",
  header: "by its header",
  dropIn: "by drop-in",
  plain: "by plain",
  ordinary: "by ordinary",
  oneTensor: "by one tensor",
};

/** A table of ways that were timed side by side. A ratio is the row's time by the column's: above 1 is slower. */
export function recordTable(records: BenchRecord[]): string {
  const works = new Set(records.map(({ work }) => work));
  const columns = ["", "ns/element", "quartiles", "µs/step", "GB/s"];
  const compared = Object.entries(headings).filter(([name]) =>
    records.some(({ timesOf }) => timesOf[name as ReferenceName]),
  ) as [ReferenceName, string][];
  const rows = records.map(({ title, work, nsPerElement, microsecondsPerStep, gbPerSecond, timesOf }) => [
    works.size > 1 ? `${title}: ${work}` : title,
    digits(nsPerElement.median),
    `${digits(nsPerElement.low)} to ${digits(nsPerElement.high)}`,
    digits(microsecondsPerStep.median),
    digits(gbPerSecond),
    ...compared.map(([name]) => times(timesOf[name])),
  ]);
  return table([[...columns, ...compared.map(([, heading]) => heading)], ...rows]);
}

export function figureTable(figures: Figure[]): string {
  return table([
    ["", "", "quartiles"],
    ...figures.map(({ title, unit, value, low, high }) => [
      title,
      `${digits(value)} ${unit}`,
      low === undefined ? "" : `${digits(low)} to ${digits(high!)}`,
    ]),
  ]);
}

export function goalTable(goals: Goal[]): string {
  return table([
    ["", "wanted", "measured", "reached"],
    ...goals.map(({ title, bound, measured, reached }) => [
      title,
      bound,
      measured ?? "",
      typeof reached === "string" ? reached : reached ? "yes" : "NO",
    ]),
  ]);
}
