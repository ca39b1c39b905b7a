/** Cells of what stands between the package and its callers: test runners with a page of jsdom, and proxies of frameworks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cell, WASM } from "./cell.ts";
import { runCommand } from "./processes.ts";
import { type ToolName, tool } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

export function surroundingCells(workshop: Workshop): Cell[] {
  return [...testRunnerCells(workshop), ...wrappedCells(workshop)];
}

function testRunnerCells(workshop: Workshop): Cell[] {
  const cell = (place: string, way: string, runner: ToolName, node: ToolName, args: string[]): Cell => ({
    place,
    way,
    tools: [runner, node, "jsdom"],
    expects: WASM,
    async run() {
      // A project of each cell's own, since its report is a file: runners print as they like.
      const project = await workshop.project(`${runner}-on-${node}`, "jsdom");
      const flags = runner === "jest" ? ["--experimental-vm-modules"] : [];
      await runCommand([tool(node).path, ...flags, tool(runner).path, ...args], project);
      return JSON.parse(readFileSync(join(project, "report.json"), "utf8"));
    },
  });
  return [
    cell("jest with jsdom", "`import`", "jest", "node-20", ["import.test.mjs"]),
    cell("jest with jsdom", "`require`", "jest", "node-24", ["require.test.cjs"]),
    cell("vitest with jsdom", "`import`", "vitest", "node-20", [
      "run",
      "import.test.mjs",
      "--globals",
      "--environment=jsdom",
    ]),
  ];
}

function wrappedCells(workshop: Workshop): Cell[] {
  const cell = (place: string, way: string, library: ToolName): Cell => ({
    place,
    way,
    tools: [library, "node-20"],
    expects: WASM,
    async run() {
      const project = await workshop.project("wrapped");
      return JSON.parse(await runCommand([tool("node-20").path, `${library}.mjs`], project));
    },
  });
  return [
    cell("Vue", "`ref` and `reactive` around all", "vue"),
    cell("MobX", "`observable` parameters and options", "mobx"),
    cell("Immer", "drafts of parameters and options, frozen state", "immer"),
  ];
}
