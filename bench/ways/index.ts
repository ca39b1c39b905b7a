import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Way } from "../way.ts";
import { former, scalar, streams } from "./assembly.ts";
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

const wasm = [step, pool, kernel, core, former, scalar, streams, streamsOnTwo, copy];
const javascript = [plain, simple, jsBackend];
const rivalsFolder = fileURLToPath(new URL("../rivals/", import.meta.url));
const openTfjs = () => tfjsWays(`${rivalsFolder}package.json`);

/** Every way that can be had here; `say` hears which can't, and why. */
export function openWays(rivals: boolean, say: (line: string) => void): Ways {
  const children = javascript.map(isolated);
  const versions: Record<string, string> = {};

  if (rivals) {
    try {
      installRivals(say);
      const { ways, version } = openTfjs();
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
    ways: [...wasm, ...children.map(({ way }) => way)],
    versions,
    close() {
      for (const child of children) child.close();
    },
  };
}

/** For a process that does one way alone. Rivals are installed by then. */
export function wayByName(name: string): Way {
  const ways = name.startsWith("tfjs") ? openTfjs().ways : [...wasm, ...javascript];
  const way = ways.find((one) => one.name === name);
  if (!way) throw new Error(`There is no way called ${name}.`);
  return way;
}

function installRivals(say: (line: string) => void): void {
  if (existsSync(`${rivalsFolder}node_modules/@tensorflow/tfjs-backend-wasm`)) return;
  say("Installing tf.js into bench/rivals (66 MB, once) …");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: rivalsFolder,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
}
