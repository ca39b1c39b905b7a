/** Cells of the runtimes outside of browsers. */
import type { Options } from "rmsprop-wasm";
import { asking, type Cell, FLOAT64, inAddress, JS, ONE_THREAD, TWO_THREADS, WASM } from "./cell.ts";
import { DIGEST_OF_FLOAT64 } from "./digest.ts";
import { fetchJson, runCommand, startServer } from "./processes.ts";
import { type ToolName, tool } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

export const NODES = ["node-20", "node-22", "node-24", "node-26"] as const;
/** Those that can join vectors of four lanes to eight (docs/eight-lanes.md). */
const EIGHT_LANES = ["node-24", "node-26"] as const;
export const DENO = "@deno/linux-x64-glibc";
export const BUN = "@oven/bun-linux-x64";

export function runtimeCells(workshop: Workshop): Cell[] {
  const cell = (place: string, way: string, name: ToolName, args: string[], expects = WASM): Cell => ({
    place,
    way,
    tools: [name],
    expects,
    async run() {
      return JSON.parse(await runCommand([tool(name).path, ...args], await workshop.project("plain")));
    },
  });
  const threads = asking({ threads: 2 });
  const doubles = (place: string, name: ToolName, before: string[] = []): Cell => ({
    ...cell(place, FLOAT64, name, [...before, "f64.mjs"]),
    digest: DIGEST_OF_FLOAT64,
  });
  return [
    ...NODES.flatMap((name) => [
      cell("Node", "`import`", name, ["import.mjs"]),
      cell("Node", "`require`", name, ["require.cjs"]),
      cell("Node", "`threads: 2`", name, ["import.mjs", threads], TWO_THREADS),
      doubles("Node", name),
      // V8 has no switch for SIMD itself, but one for SSE 4.1, without which it has none.
      cell("Node without SIMD", "`import`", name, ["--no-enable-sse4-1", "import.mjs"], JS),
      cell("Node without WebAssembly", "`import`", name, ["--jitless", "import.mjs"], JS),
    ]),
    ...EIGHT_LANES.flatMap((name) => [
      cell("Node with eight lanes", "`import`", name, ["--experimental-wasm-revectorize", "import.mjs"]),
      cell(
        "Node with eight lanes",
        "`threads: 2`",
        name,
        ["--experimental-wasm-revectorize", "import.mjs", threads],
        TWO_THREADS,
      ),
    ]),
    cell("Deno", "`import`", DENO, ["run", "import.mjs"]),
    cell("Deno", "`threads: 2`", DENO, ["run", "import.mjs", threads], TWO_THREADS),
    doubles("Deno", DENO, ["run"]),
    cell("Bun", "`import`", BUN, ["import.mjs"]),
    cell("Bun", "`require`", BUN, ["require.cjs"]),
    cell("Bun", "`threads: 2`", BUN, ["import.mjs", threads], TWO_THREADS),
    doubles("Bun", BUN),
    ...workerdCells(workshop),
  ];
}

/** Cells of workerd, which has no threads to share memory with, whatever a program asks for. */
function workerdCells(workshop: Workshop): Cell[] {
  const workerd = () => workshop.once("the server of Wrangler", () => serveByWrangler(workshop));
  const cell = (way: string, options: Options, path = ""): Cell => ({
    place: "Cloudflare Workers, by Wrangler",
    way,
    tools: ["wrangler", "node-22"],
    expects: WASM,
    run: async () => fetchJson(`${await workerd()}${path}${inAddress(options)}`),
  });
  return [
    cell("`import`", {}),
    cell(ONE_THREAD, { threads: 2 }),
    { ...cell(FLOAT64, {}, "/f64"), digest: DIGEST_OF_FLOAT64 },
  ];
}

async function serveByWrangler(workshop: Workshop): Promise<string> {
  const command = [tool("node-22").path, tool("wrangler").path, "dev", "--port"];
  const project = await workshop.project("workerd");
  return startServer((port) => [...command, port], project);
}
