/** Runs the cells, compares each outcome with the expected one, and prints it. */
import { isDeepStrictEqual } from "node:util";
import type { Cell, Report } from "./cell.ts";
import { DIGEST } from "./digest.ts";
import type { CellResult } from "./result.ts";
import { BROWSER_NAMES, findTool, howToInstall, tool } from "./tools.ts";

const BACKENDS = { wasm: "WebAssembly", js: "JavaScript" };

export interface Outcome {
  results: CellResult[];
  /** The count of cells that gave something else than they must. */
  failures: number;
  /** The count of cells that couldn't run, since this machine lacks something. */
  gaps: number;
}

export function titleOf(cell: Cell): string {
  const { place, way, tools, browser } = cell;
  const within = browser && browser !== tools[0] ? ` in ${BROWSER_NAMES[browser]}` : "";
  return `${place} ${versionOf(cell)}, ${way}${within}`;
}

/** A place that is no browser itself names the one that it is in. */
function versionOf({ place, tools: [first], browser }: Cell): string {
  const version = findTool(first)?.version ?? `(${first})`;
  if (browser !== first || place === BROWSER_NAMES[browser]) return version;
  return `${BROWSER_NAMES[browser]} ${version}`;
}

export async function runMatrix(cells: readonly Cell[]): Promise<Outcome> {
  const outcome: Outcome = { results: [], failures: 0, gaps: 0 };
  for (const cell of cells) {
    const missing = cell.tools.filter((name) => !findTool(name));
    if (missing.length > 0) {
      const how = new Set(missing.map(howToInstall));
      console.log(`–  ${titleOf(cell)}: not run without ${missing.join(" and ")}. ${[...how].join("; ")}`);
      outcome.gaps++;
      continue;
    }
    try {
      await check(cell);
      outcome.results.push(resultOf(cell));
      console.log(`ok ${titleOf(cell)}: ${resultOf(cell).outcome}`);
    } catch (error) {
      console.log(`!! ${titleOf(cell)}: ${error instanceof Error ? error.message : error}`);
      outcome.failures++;
    }
  }
  return outcome;
}

async function check({ expects, digest = DIGEST, run }: Cell): Promise<void> {
  const report = (await run()) as Report;
  const isRight =
    "error" in expects
      ? "error" in report && report.error === expects.error
      : isDeepStrictEqual(report, { ...expects, digest });
  if (isRight) return;
  const wanted = "error" in expects ? expects : { ...expects, digest };
  throw new Error(`gave ${JSON.stringify(report)} instead of ${JSON.stringify(wanted)}`);
}

/** The result of a cell that gave what it must. */
function resultOf(cell: Cell): CellResult {
  const { place, way, browser, expects } = cell;
  return {
    place,
    way,
    version: versionOf(cell),
    ...(browser && { browser: `${BROWSER_NAMES[browser]} ${tool(browser).version}` }),
    outcome: "error" in expects ? `\`${expects.error}\`` : BACKENDS[expects.backend],
  };
}
