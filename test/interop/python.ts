/** Jobs that the frameworks do in Python, and the folder of their files. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPython } from "../../tools/python.mjs";

const folder = mkdtempSync(join(tmpdir(), "interop-"));
export const at = (name: string) => join(folder, name);

export type Script = "pytorch_jobs.py" | "keras_jobs.py";
export type Job = [name: string, keywords: Record<string, unknown>];

/** What each job gives, of one process that does them all. */
export function run(script: Script, jobs: Job[]): unknown[] {
  const { python } = findPython("torch", "safetensors")!;
  const path = fileURLToPath(new URL(script, import.meta.url));
  // AVX2 is what the golden vectors were made with; without it PyTorch has other last bits.
  const env = { ...process.env, ATEN_CPU_CAPABILITY: "avx2", KERAS_BACKEND: "torch" };
  const { status, stdout, stderr } = spawnSync(python, [path], {
    input: JSON.stringify(jobs),
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${script} failed:\n${stderr}`);
  const lines = stdout
    .split("\n")
    .filter((line) => line.startsWith("{") || line.startsWith("[") || /^(null|")/.test(line));
  return lines.map((line) => JSON.parse(line));
}

export const required = (...packages: string[]) => ({
  name: packages.join(", "),
  isThere: findPython(...packages) !== undefined,
  install: "pip install -r test/interop/requirements.txt, and that Python in the variable PYTHON",
});
