/** Cells of bundlers, without a configuration, whose bundles run in browsers. */
import { visit } from "./browsers.ts";
import { type Cell, type Expected, inAddress, TWO_THREADS, WASM } from "./cell.ts";
import { fetchJson, runCommand, startServer } from "./processes.ts";
import { BROWSERS, type Browser, type ToolName, tool } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

export function bundleCells(workshop: Workshop, site: string): Cell[] {
  /** Cells of one command's bundle in `out/`: on an ordinary page, and on one whose workers can share memory. */
  const built = (place: string, name: ToolName, args: string[], page = "main.html"): Cell[] => {
    const folder = `built-by-${name}`;
    const build = async () =>
      runCommand([tool(name).path, ...args], await workshop.project(folder, "bundled"));
    const cell = (browser: Browser, way: string, address: string, expects: Expected): Cell => ({
      place,
      way,
      browser,
      tools: [name, browser],
      expects,
      async run() {
        await workshop.once(`the build of ${name}`, build);
        return visit(browser, `${site}/${address}`);
      },
    });
    const path = `${folder}/out/${page}`;
    return BROWSERS.flatMap((browser) => [
      cell(browser, "build", `free/${path}`, WASM),
      cell(browser, "`threads: 2`", `isolated/${path}${inAddress({ threads: 2 })}`, TWO_THREADS),
    ]);
  };
  /** Cells of pages that the bundler's own server serves. */
  const served = (place: string, way: string, name: ToolName, url: () => Promise<string>): Cell[] =>
    BROWSERS.map((browser) => ({
      place,
      way,
      browser,
      tools: [name, browser],
      expects: WASM,
      run: async () => visit(browser, await url()),
    }));

  const vite = () => workshop.once("the server of Vite", () => serveByVite(workshop));
  const next = () => workshop.once("the server of Next", () => serveByNext(workshop));
  const route = (way: string, path: string, expects = WASM): Cell => ({
    place: "Next.js",
    way,
    tools: ["next"],
    expects,
    run: async () => fetchJson(`${await next()}${path}`),
  });
  return [
    ...built("esbuild", "esbuild", ["main.js", "--bundle", "--format=esm", "--outdir=out"]),
    ...served("Vite", "development server", "vite", vite),
    ...built("Vite", "vite", ["build", "--base=./", "--outDir=out"], "index.html"),
    ...built("webpack", "webpack", ["./main.js", "--mode=production", "--output-path=out"]),
    ...built("Rollup", "rollup", ["main.js", "--plugin=node-resolve", "--dir=out"]),
    // Its cache would hold a list of all files nearby, and a file that another tool deletes meanwhile makes that an error.
    ...built(
      "Parcel",
      "parcel",
      ["build", "index.html", "--public-url=./", "--dist-dir=out", "--no-cache"],
      "index.html",
    ),
    ...served("Next.js", "page", "next", next),
    route("Node route", "/node"),
    route("`threads: 2` in it", `/node${inAddress({ threads: 2 })}`, TWO_THREADS),
    route("edge route", "/edge"),
  ];
}

async function serveByVite(workshop: Workshop): Promise<string> {
  const command = [tool("vite").path, "--strictPort", "--port"];
  const project = await workshop.project("served-by-vite", "bundled");
  return startServer((port) => [...command, port], project);
}

async function serveByNext(workshop: Workshop): Promise<string> {
  const project = await workshop.project("next");
  const { path } = tool("next");
  await runCommand([path, "build"], project);
  return startServer((port) => [path, "start", "--port", port], project);
}
