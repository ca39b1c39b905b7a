import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Way } from "../way.ts";
import { usesOnly } from "../work.ts";
import { Remote } from "./remote.ts";

/** What its optimizer has, and its functions for clipping, averaging and clearing. */
const options = [
  "momentum",
  "centered",
  "weightDecay",
  "maximize",
  "globalClipNorm",
  "ema",
  "zeroGrad",
] as const;

/** PyTorch in the first Python that has it, or undefined. */
export function findPyTorch(): { way: Way; version: string; close(): void } | undefined {
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  for (const python of [process.env.PYTHON, "python3", "python"]) {
    if (!python) continue;
    const { status, stdout } = spawnSync(python, ["-c", "import torch; print(torch.__version__)"], {
      encoding: "utf8",
    });
    if (status !== 0) continue;
    const version = stdout.trim();
    const remote = new Remote(python, [script]);
    const way: Way = {
      name: "torch",
      title: `PyTorch ${version.replace(/\+.*/, "")}, one thread`,
      formula: "pytorch",
      supports: (work) => usesOnly(work, options),
      prepare: (work) => remote.prepare(work),
    };
    return { way, version, close: () => remote.close() };
  }
  return undefined;
}
