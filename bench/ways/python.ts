import { fileURLToPath } from "node:url";
import { findPython } from "../../tools/python.mjs";
import { type Settings, usesOnly } from "../work.ts";
import type { Child } from "./isolated.ts";
import { Remote } from "./remote.ts";

interface Peer {
  name: string;
  title: string;
  script: string;
  args?: string[];
  /** The options that the script passes on. */
  options: readonly (keyof Settings)[];
}

export interface Found {
  children: Child[];
  version: string;
}

const ownOptions = ["momentum", "centered", "weightDecay", "maximize"] as const;
/** The options of PyTorch's functions for clipping, averaging and clearing, which stand around its step. */
const allOptions = [...ownOptions, "globalClipNorm", "ema", "zeroGrad"] as const;

/** PyTorch on one thread, compiled too, and on two, in the first Python that has it. */
export function findPyTorch(): Found | undefined {
  const found = findPython("torch");
  if (!found) return undefined;
  const version = found.versions[0]!.replace(/\+.*/, "");
  const one = { script: "pytorch.py", options: allOptions };
  const peers: Peer[] = [
    { ...one, name: "torch", title: `PyTorch ${version}, one thread`, args: ["1", "eager"] },
    {
      ...one,
      name: "torch-compiled",
      title: `PyTorch ${version}, torch.compile`,
      args: ["1", "compiled"],
      options: ownOptions,
    },
    { ...one, name: "torch2", title: `PyTorch ${version}, two threads`, args: ["2", "eager"] },
  ];
  return { children: peers.map((peer) => childOf(found.python, peer)), version };
}

/** Optax' RMSprop, compiled by JAX, in the first Python that has both. */
export function findOptax(): Found | undefined {
  const found = findPython("optax", "jax");
  if (!found) return undefined;
  const version = found.versions[0]!;
  const title = `Optax ${version}, jax.jit`;
  const child = childOf(found.python, { name: "optax-jit", title, script: "optax_jit.py", options: [] });
  return { children: [child], version };
}

function childOf(python: string, { name, title, script, args = [], options }: Peer): Child {
  let remote: Remote | undefined;
  return {
    way: {
      name,
      title,
      formula: "pytorch",
      supports: (work) => usesOnly(work, options),
      prepare(work) {
        remote ??= new Remote(python, [fileURLToPath(new URL(script, import.meta.url)), ...args]);
        return remote.prepare(work);
      },
    },
    close: () => remote?.close(),
  };
}
