/**
 * Installs the packed package in every place where people use it, and runs the same program there. It uses the tools
 * that this machine has and names those that it lacks. `npm run test:everywhere -- --help` says what can be asked of it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { mustHaveAll } from "../tools/must-have-all.ts";
import { openScratch } from "../tools/scratch.ts";
import { closeBrowsers } from "./browsers.ts";
import { bundleCells } from "./bundles.ts";
import { measureFirstSteps } from "./first-step.ts";
import { runMatrix, titleOf } from "./matrix.ts";
import { pageCells } from "./pages.ts";
import { stopServers } from "./processes.ts";
import { type CellResult, type FirstStep, savedResult, saveResult } from "./result.ts";
import { runtimeCells } from "./runtimes.ts";
import { openSite } from "./site.ts";
import { supportPage, withSupportTable } from "./support-table.ts";
import { surroundingCells } from "./surroundings.ts";
import { Workshop } from "./workshop.ts";

const usage = `npm run test:everywhere -- [options]
  --only <text>  the cells whose titles hold this text, and no figures
  --save         keep the result in compat/result.json and its page in docs/, if nothing failed and nothing was missing`;

async function runAll(only: string | undefined) {
  openScratch();
  const workshop = new Workshop();
  const site = await openSite(workshop.folder);
  try {
    const cells = [
      ...runtimeCells(workshop),
      ...pageCells(workshop, site.url),
      ...bundleCells(workshop, site.url),
      ...surroundingCells(workshop),
    ].filter((cell) => titleOf(cell).includes(only ?? ""));
    if (cells.length === 0) throw new Error(`--only ${only}: there is no such cell.`);
    // Measured first, while nothing else runs here.
    const firstSteps = only === undefined ? await measureFirstSteps(workshop, site.url) : [];
    return { ...(await runMatrix(cells)), firstSteps };
  } finally {
    await closeBrowsers();
    stopServers();
    site.close();
  }
}

function show({ place, version, milliseconds: { low, median, high } }: FirstStep): void {
  console.log(`${place} ${version}: import to first step ${median} ms (${low} to ${high})`);
}

/** The part of a result that the support table shows, without the versions. */
const gist = (cells: readonly CellResult[]) => cells.map(({ place, way, outcome }) => [place, way, outcome]);

async function main({ only, save }: { only?: string; save?: boolean }): Promise<boolean> {
  const { results, failures, gaps, firstSteps } = await runAll(only);
  for (const figure of firstSteps) show(figure);
  console.log(`${results.length} cells passed, ${failures} failed, ${gaps} couldn't run`);
  if (failures > 0 || (gaps > 0 && mustHaveAll)) return false;
  if (only !== undefined || gaps > 0) return true;
  if (save) {
    const result = { date: new Date().toISOString(), cells: results, firstSteps };
    saveResult(result);
    writeFileSync(supportPage, withSupportTable(readFileSync(supportPage, "utf8"), result));
    return true;
  }
  if (isDeepStrictEqual(gist(results), gist(savedResult().cells))) return true;
  console.error("The support table in docs/ is of other cells. Run `npm run test:everywhere -- --save`.");
  return false;
}

const { values } = parseArgs({
  options: { only: { type: "string" }, save: { type: "boolean" }, help: { type: "boolean" } },
});
if (values.help) console.log(usage);
else if (!(await main(values))) process.exitCode = 1;
