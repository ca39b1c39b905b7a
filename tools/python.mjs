/** Finds a Python that has what's needed: for benchmarks, tests and examples. */
import { spawnSync } from "node:child_process";

/**
 * The first Python in which all of these packages are installed, and their versions.
 *
 * @param {...string} packages
 */
export function findPython(...packages) {
  // Reads their metadata, since importing them takes seconds.
  const code = `from importlib.metadata import version\nfor name in ${JSON.stringify(packages)}: print(version(name))`;
  for (const python of [process.env.PYTHON, "python3", "python"]) {
    if (!python) continue;
    const { status, stdout } = spawnSync(python, ["-c", code], { encoding: "utf8" });
    if (status === 0) return { python, versions: stdout.trim().split(/\s+/) };
  }
  return undefined;
}
