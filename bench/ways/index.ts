import { installTfjs, placeBesideTfjs } from "../../tools/tfjs.mjs";
import { RMSpropOfFloat64 } from "../built.ts";
import type { Way } from "../way.ts";
import { divider, scalar, streams } from "./assembly.ts";
import { copying, loading, overwriting, parsing, restoring, saving } from "./checkpoint.ts";
import { type Child, isolated } from "./isolated.ts";
import { copy, plain, simple } from "./javascript.ts";
import { core, kernel } from "./kernel.ts";
import { ownLoop } from "./mine.ts";
import { classes, jsBackend, step } from "./ours.ts";
import { type Found, findOptax, findPyTorch } from "./python.ts";
import { tfjsWays } from "./tfjs-installed.ts";
import { pool, streamsOnTwo } from "./threads.ts";

export interface Wanted {
  /** tf.js, PyTorch and Optax. */
  peers: boolean;
  /** The path of the reader's own loop. */
  mine: string | undefined;
  /** Hears which ways are left out, and why. */
  say(line: string): void;
}

export interface Ways {
  /** The ways in the order of the tables. */
  ways: Way[];
  /** Versions of the peers. */
  versions: Record<string, string>;
  close(): void;
}

// The ways see one type of optimizer; its arrays are of the work's type.
classes.float64 = RMSpropOfFloat64 as unknown as typeof classes.float32;

const wasm = [step, pool, kernel, core, scalar, streams, divider, streamsOnTwo, copy];
const checkpoints = [saving, copying, restoring, overwriting, loading, parsing];
const javascript = [plain, simple, jsBackend];
const MINE = "mine:";

/** Every way that this machine has. */
export async function openWays({ peers, mine, say }: Wanted): Promise<Ways> {
  const children: Child[] = [...javascript.map((way) => isolated(way)), ...eightLanes()];
  const versions: Record<string, string> = {};
  if (mine !== undefined) children.unshift(isolated(await ownLoop(mine), { load: MINE + mine }));
  if (peers) {
    for (const [name, open] of [
      ["tfjs", openTfjs] as const,
      ["torch", openPyTorch] as const,
      ["optax", openOptax] as const,
    ]) {
      const found = open(say);
      if (!found) continue;
      children.push(...found.children);
      versions[name] = found.version;
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

/** `step()` on eight lanes (docs/eight-lanes.md), by a flag of V8 in a process of its own. */
function eightLanes(): Child[] {
  if (Number.parseInt(process.versions.node, 10) < 24) return [];
  const names = { name: "step8", title: "step(), eight lanes" };
  return [isolated(step, { flags: ["--experimental-wasm-revectorize"], names })];
}

function openTfjs(say: Wanted["say"]): Found | undefined {
  try {
    installTfjs(say);
    placeBesideTfjs();
    const { ways, version } = tfjsWays();
    return { children: ways.map((way) => isolated(way)), version };
  } catch (error) {
    say(
      `tf.js is left out, since it can't be installed or loaded: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}

const openPyTorch = (say: Wanted["say"]) => findPyTorch() ?? leaveOut("PyTorch", "torch", say);
const openOptax = (say: Wanted["say"]) => findOptax() ?? leaveOut("Optax", "optax jax", say);

function leaveOut(name: string, packages: string, say: Wanted["say"]): undefined {
  say(`${name} is left out, since the Python here lacks it. To install it:`);
  say(
    `  python3 -m venv venv && venv/bin/pip install ${packages}, then PYTHON=venv/bin/python npm run bench`,
  );
}

/** The way of that name, for a process that runs it alone. Peers are installed by then. */
export async function wayByName(name: string): Promise<Way> {
  if (name.startsWith(MINE)) return ownLoop(name.slice(MINE.length));
  const ways = name.startsWith("tfjs") ? tfjsWays().ways : [...wasm, ...javascript];
  const way = ways.find((one) => one.name === name);
  if (!way) throw new Error(`There is no way called ${name}.`);
  return way;
}
