/** What the page and its measuring worker tell each other. */
import type { BenchRecord } from "../../bench/result.ts";

export type Task = { ways: "own" } | { ways: "tfjs" };

export type FromMeasurer =
  | { tell: "doing"; what: string }
  /** One size is done: every result was checked, or this would be a failure. */
  | ({ tell: "measured" } & Measured)
  | { tell: "done" }
  | { tell: "failed"; why: string };

/** What a way's result was compared with: the formula in double precision, and the reference to the bit. */
export type Check = "bits" | "formula";

export interface Measured {
  records: BenchRecord[];
  /** By the ways' names. */
  checks: Record<string, Check>;
}
