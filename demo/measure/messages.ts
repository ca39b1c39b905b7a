/** Messages between the page and its measuring worker. */
import type { BenchRecord } from "../../bench/result.ts";

export type Task = { ways: "own" } | { ways: "tfjs" };

export type FromMeasurer =
  | { tell: "doing"; what: string }
  /** One size is done: every result was checked, or this would be a failure. */
  | ({ tell: "measured" } & Measured)
  | { tell: "done" }
  | { tell: "failed"; why: string };

/** The standard that a way's result was compared with: the reference, to the bit, or the formula in double precision. */
export type Check = "bits" | "formula";

export interface Measured {
  records: BenchRecord[];
  /** Checks by the ways' names. */
  checks: Record<string, Check>;
}
