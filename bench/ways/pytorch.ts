import { fileURLToPath } from "node:url";
import { findPython } from "../../tools/python.mjs";
import { usesOnly } from "../work.ts";
import type { Child } from "./isolated.ts";
import { Remote } from "./remote.ts";

/** The options of its optimizer, and those that its functions for clipping, averaging and clearing give. */
const options = [
  "momentum",
  "centered",
  "weightDecay",
  "maximize",
  "globalClipNorm",
  "ema",
  "zeroGrad",
] as const;

/** PyTorch on one thread and on two, in the first Python that has it; undefined without one. */
export function findPyTorch(): { ways: Child[]; version: string } | undefined {
  const found = findPython("torch");
  if (!found) return undefined;
  const { python, versions } = found;
  const [version = ""] = versions;
  return {
    ways: [
      childOf(python, version, "torch", "one thread", 1),
      childOf(python, version, "torch2", "two threads", 2),
    ],
    version,
  };
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
