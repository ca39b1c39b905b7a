import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { firstStepFolder, runAlone, timeFirstSteps } from "../tools/first-step.ts";
import { dist } from "./built.ts";
import { type Figure, figureOf } from "./result.ts";
import { rowFigures } from "./rows.ts";

/** Figures of the package as a whole, which are measured once. */
export async function measureFigures(
  quick: boolean,
  onProgress: (detail: string) => void,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const parts: [string, () => Figure[] | Promise<Figure[]>][] = [
    ["sizes", sizes],
    ["first step", () => firstStep(quick ? 9 : 25)],
    ["rows", () => rowFigures(quick ? 200 : 1000)],
    ["heap", () => heap(quick ? 3 : 5)],
    ["an idle pool, a minute", idlePool],
  ];
  for (const [detail, measure] of parts) {
    onProgress(detail);
    figures.push(...(await measure()));
  }
  return figures;
}

async function sizes(): Promise<Figure[]> {
  const binary = readFileSync(new URL("core.wasm", dist));
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("index.js", dist))],
    bundle: true,
    // Loaded when they are asked for.
    external: ["./threads.js"],
    minify: true,
    format: "esm",
    write: false,
  });
  const entry = gzipSync(outputFiles[0]!.contents, { level: 9 });
  return [
    {
      name: "binary",
      title:
        "the binary: 12 loops (plain, shaped or decayed, momentum, centered), a general one, one for tails",
      unit: "kB",
      value: binary.length / 1000,
    },
    { name: "entry", title: "main entry, minified and gzipped", unit: "kB", value: entry.length / 1000 },
  ];
}

function firstStep(pairs: number): Figure[] {
  const { whole, inside } = timeFirstSteps([process.execPath], firstStepFolder, pairs);
  return [
    figureOf("firstStep", "import to first step, beyond starting Node", "ms", whole),
    figureOf("firstStepInside", "the same, by the process's own clock", "ms", inside),
  ];
}

function heap(runs: number): Figure[] {
  const grown = Array.from({ length: runs }, () => runInNode("heap.mjs", "--expose-gc"));
  return [figureOf("heapPerStep", "JavaScript heap kept over 100,000 steps, per step", "bytes", grown)];
}

function idlePool(): Figure[] {
  const used = Array.from({ length: 3 }, () => runInNode("idle-pool.mjs", "--expose-gc"));
  return [figureOf("idlePool", "processor time of an idle pool over ten seconds, beyond none", "ms", used)];
}

const alone = fileURLToPath(new URL("alone", import.meta.url));

/** The number that a script of `alone/` prints. */
function runInNode(script: string, ...flags: string[]): number {
  return runAlone([process.execPath, ...flags], `${alone}/${script}`).printed;
}
