/** The first seed and the time of a fuzzer among the tests. */
import { mustHaveAll } from "../../tools/must-have-all.ts";

/**
 * Gives a new seed at each run, or that of the variable SEED. The gate of changes takes the same sessions each time, and more
 * of them: it fails by what has changed, not by chance.
 */
export function planOf({ gate, local }: { gate: number; local: number }) {
  const fallback = mustHaveAll ? 1 : Date.now() & 0x7fffffff;
  return { seed: Number(process.env.SEED ?? fallback), seconds: mustHaveAll ? gate : local };
}
