import { installTfjs, placeBesideTfjs } from "../../tools/tfjs.mjs";
import type { Way } from "../way.ts";
import { scalar, streams } from "./assembly.ts";
import { copying, overwriting, restoring, saving } from "./checkpoint.ts";
import { isolated } from "./isolated.ts";
import { copy, plain, simple } from "./javascript.ts";
import { core, kernel } from "./kernel.ts";
import { jsBackend, step } from "./ours.ts";
import { findPyTorch } from "./pytorch.ts";
import { tfjsWays } from "./tfjs-installed.ts";
import { pool, streamsOnTwo } from "./threads.ts";

export interface Ways {
  /** In the order of the tables. */
  ways: Way[];
  /** Versions of the peers. */
  versions: Record<string, string>;
  close(): void;
}

const wasm = [step, pool, kernel, core, scalar, streams, streamsOnTwo, copy];
const checkpoints = [saving, copying, restoring, overwriting];
const javascript = [plain, simple, jsBackend];

/** Every way that can be had here; `say` hears which can't, and why. */
export function openWays(peers: boolean, say: (line: string) => void): Ways {
  const children = javascript.map(isolated);
  const versions: Record<string, string> = {};

  if (peers) {
    try {
      installTfjs(say);
      placeBesideTfjs();
      const { ways, version } = tfjsWays();
      children.push(...ways.map(isolated));
      versions.tfjs = version;
    } catch (error) {
      say(
        `tf.js can't be installed or loaded and is left out: ${error instanceof Error ? error.message : error}`,
      );
    }
    const pyTorch = findPyTorch();
    if (pyTorch) {
      children.push(...pyTorch.ways);
      versions.torch = pyTorch.version;
    } else {
      say("No Python with torch found: PyTorch is left out.");
      say(
        "To have it: python3 -m venv venv && venv/bin/pip install torch, then PYTHON=venv/bin/python npm run bench",
      );
    }
  }
  return {
    ways: [...wasm, ...checkpoints, ...children.map(({ way }) => way)],
    versions,
    close() {
      for (const child of children) child.close();
    },
  };
}

/** For a process that does one way alone. Peers are installed by then. */
export function wayByName(name: string): Way {
  const ways = name.startsWith("tfjs") ? tfjsWays().ways : [...wasm, ...javascript];
  const way = ways.find((one) => one.name === name);
  if (!way) throw new Error(`There is no way called ${name}.`);
  return way;
}
