import { installRivals, placeBesideTfjs } from "../../tools/tfjs.mjs";
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
  /** Of the rivals. */
  versions: Record<string, string>;
  close(): void;
}

const wasm = [step, pool, kernel, core, scalar, streams, streamsOnTwo, copy];
const checkpoints = [saving, copying, restoring, overwriting];
const javascript = [plain, simple, jsBackend];

/** `step()` where V8 joins vectors of four lanes to eight (docs/eight-lanes.md): by a flag, in a process of its own. */
function eightLanes() {
  if (Number.parseInt(process.versions.node, 10) < 24) return [];
  const names = { name: "step8", title: "step(), eight lanes" };
  return [isolated(step, ["--experimental-wasm-revectorize"], names)];
}

/** Every way that can be had here; `say` hears which can't, and why. */
export function openWays(rivals: boolean, say: (line: string) => void): Ways {
  const children = [...javascript.map((way) => isolated(way)), ...eightLanes()];
  const versions: Record<string, string> = {};

  if (rivals) {
    try {
      installRivals(say);
      placeBesideTfjs();
      const { ways, version } = tfjsWays();
      children.push(...ways.map((way) => isolated(way)));
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

/** For a process that does one way alone. Rivals are installed by then. */
export function wayByName(name: string): Way {
  const ways = name.startsWith("tfjs") ? tfjsWays().ways : [...wasm, ...javascript];
  const way = ways.find((one) => one.name === name);
  if (!way) throw new Error(`There is no way called ${name}.`);
  return way;
}
