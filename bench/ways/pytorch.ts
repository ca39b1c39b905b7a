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

interface Child {
  way: Way;
  close(): void;
}

/** PyTorch on one thread and on two, in the first Python that has it, or undefined. */
export function findPyTorch(): { ways: Child[]; version: string } | undefined {
  for (const python of [process.env.PYTHON, "python3", "python"]) {
    if (!python) continue;
    const { status, stdout } = spawnSync(python, ["-c", "import torch; print(torch.__version__)"], {
      encoding: "utf8",
    });
    if (status !== 0) continue;
    const version = stdout.trim();
    return {
      ways: [
        childOf(python, version, "torch", "one thread", 1),
        childOf(python, version, "torch2", "two threads", 2),
      ],
      version,
    };
  }
  return undefined;
}

function childOf(python: string, version: string, name: string, title: string, threads: number): Child {
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  let remote: Remote | undefined;
  return {
    way: {
      name,
      title: `PyTorch ${version.replace(/\+.*/, "")}, ${title}`,
      formula: "pytorch",
      supports: (work) => usesOnly(work, options),
      prepare(work) {
        remote ??= new Remote(python, [script, String(threads)]);
        return remote.prepare(work);
      },
    },
    close: () => remote?.close(),
  };
}
