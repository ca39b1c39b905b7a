/** The wait for the first step: figures of the result, which nothing asserts. */
import { copyFileSync } from "node:fs";
import { firstStepFolder, timeFirstSteps } from "../tools/first-step.ts";
import { spreadOf } from "../tools/spread.ts";
import { visit } from "./browsers.ts";
import type { FirstStep } from "./result.ts";
import { BUN, DENO, NODES } from "./runtimes.ts";
import { BROWSER_NAMES, BROWSERS, findTool, type ToolName, tool } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

const ROUNDS = 15;

const RUNTIMES: { place: string; name: ToolName; args?: string[] }[] = [
  ...NODES.map((name) => ({ place: "Node", name })),
  { place: "Deno", name: DENO, args: ["run"] },
  { place: "Bun", name: BUN },
];

/** Measures the runtimes and browsers that this machine has. */
export async function measureFirstSteps(workshop: Workshop, site: string): Promise<FirstStep[]> {
  const figure = (place: string, name: ToolName, samples: number[]): FirstStep => ({
    place,
    version: tool(name).version,
    milliseconds: spreadOf(samples),
  });
  const project = await workshop.project("plain");
  for (const script of ["empty.mjs", "first-step.mjs"]) {
    copyFileSync(`${firstStepFolder}/${script}`, `${project}/${script}`);
  }
  const figures = RUNTIMES.filter(({ name }) => findTool(name)).map(({ place, name, args = [] }) =>
    figure(place, name, timeFirstSteps([tool(name).path, ...args], project, ROUNDS).whole),
  );
  await workshop.project("pages");
  for (const browser of BROWSERS.filter(findTool)) {
    const samples: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      samples.push((await visit(browser, `${site}/free/pages/first-step.html`)) as number);
    }
    figures.push(figure(BROWSER_NAMES[browser], browser, samples));
  }
  return figures;
}
