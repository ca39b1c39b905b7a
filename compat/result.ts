/** The result that a run of the matrix leaves behind. */
import { readFileSync, writeFileSync } from "node:fs";
import { formatRecords } from "../tools/records.ts";
import type { Spread } from "../tools/spread.ts";

export interface CellResult {
  place: string;
  way: string;
  version: string;
  /** The browser and its version, if a bundle or a page ran in one. */
  browser?: string;
  outcome: string;
}

/** The time from import to the first step done, beyond that of starting the runtime. */
export interface FirstStep {
  place: string;
  version: string;
  milliseconds: Spread;
}

export interface Result {
  date: string;
  cells: CellResult[];
  firstSteps: FirstStep[];
}

const path = new URL("result.json", import.meta.url);

export function savedResult(): Result {
  return JSON.parse(readFileSync(path, "utf8"));
}

export function saveResult(result: Result): void {
  writeFileSync(path, formatRecords(result));
}
