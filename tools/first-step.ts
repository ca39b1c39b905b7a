/** Times from import to the first step, and scripts that run in a process of their own: for the bench and the matrix. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const firstStepFolder = fileURLToPath(new URL("first-step", import.meta.url));

/** Runs a script in a fresh process, and gives how long that took and the number that it printed. */
export function runAlone(
  [runtime, ...flags]: readonly string[],
  path: string,
): { milliseconds: number; printed: number } {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(runtime!, [...flags, path], { encoding: "utf8" });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(`${runtime} ${path} failed:\n${stderr}`);
  return { milliseconds, printed: Number(stdout) };
}

/**
 * Milliseconds from import to the first step done: beyond starting the runtime, and by the process's own clock.
 * Processes run in turn with empty ones, so that both meet the same machine; a pair's difference is one sample. The
 * scripts stand in `folder`, which says what `rmsprop-wasm` is.
 */
export function timeFirstSteps(
  runtime: readonly string[],
  folder: string,
  pairs: number,
): { whole: number[]; inside: number[] } {
  const whole: number[] = [];
  const inside: number[] = [];
  runAlone(runtime, `${folder}/first-step.mjs`);
  for (let i = 0; i < pairs; i++) {
    const empty = runAlone(runtime, `${folder}/empty.mjs`);
    const full = runAlone(runtime, `${folder}/first-step.mjs`);
    whole.push(full.milliseconds - empty.milliseconds);
    inside.push(full.printed);
  }
  return { whole, inside };
}
