import { fileURLToPath } from "node:url";
import { findPython } from "../../scripts/python.mjs";
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
  const found = findPython("torch");
  if (!found) return undefined;
  const { python, versions } = found;
  const [version = ""] = versions;
  const remote = new Remote(python, [fileURLToPath(new URL("pytorch.py", import.meta.url))]);
  const way: Way = {
    name: "torch",
    title: `PyTorch ${version.replace(/\+.*/, "")}, one thread`,
    formula: "pytorch",
    supports: (work) => usesOnly(work, options),
    prepare: (work) => remote.prepare(work),
  };
  return { way, version, close: () => remote.close() };
}
