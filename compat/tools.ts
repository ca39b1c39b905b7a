/** Tools that cells need beside the package: their paths on this machine, their versions, and how to get them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of installed tools, pinned by `compat/package-lock.json`. */
export const installed = fileURLToPath(new URL("node_modules", import.meta.url));
const INSTALL = "npm ci --prefix compat";

/** Programs, by their paths in their packages, and libraries by any file. The runtimes come for Linux on x64 alone. */
const PACKAGED = {
  "node-20": "bin/node",
  "node-22": "bin/node",
  "node-24": "bin/node",
  "node-26": "bin/node",
  "@deno/linux-x64-glibc": "deno",
  "@oven/bun-linux-x64": "bin/bun",
  esbuild: "bin/esbuild",
  immer: "package.json",
  jest: "bin/jest.js",
  jsdom: "package.json",
  mobx: "package.json",
  next: "dist/bin/next",
  parcel: "lib/bin.js",
  rollup: "dist/bin/rollup",
  vite: "bin/vite.js",
  vitest: "vitest.mjs",
  vue: "package.json",
  webpack: "bin/webpack.js",
  wrangler: "bin/wrangler.js",
} as const;

/** Programs of the system, each with the names of its command. */
const SYSTEM = {
  chromium: ["chromium", "chromium-browser", "google-chrome"],
  firefox: ["firefox-esr", "firefox"],
} as const;

export type Browser = keyof typeof SYSTEM;
export const BROWSERS = Object.keys(SYSTEM) as Browser[];
export const BROWSER_NAMES = { chromium: "Chromium", firefox: "Firefox" } as const;
export type ToolName = keyof typeof PACKAGED | Browser;

export interface Tool {
  path: string;
  version: string;
}

const found = new Map<ToolName, Tool | undefined>();

/** The tool; undefined if this machine lacks it. */
export function findTool(name: ToolName): Tool | undefined {
  if (!found.has(name)) found.set(name, name in SYSTEM ? findBrowser(name as Browser) : findPackaged(name));
  return found.get(name);
}

/** The tool, for a cell that runs only if it is there. */
export function tool(name: ToolName): Tool {
  const one = findTool(name);
  if (!one) throw new Error(`${name} is missing: ${howToInstall(name)}`);
  return one;
}

export function howToInstall(name: ToolName): string {
  return name in SYSTEM ? `apt-get install ${SYSTEM[name as Browser][0]}` : INSTALL;
}

function findPackaged(name: ToolName): Tool | undefined {
  const folder = `${installed}/${name}`;
  const path = `${folder}/${PACKAGED[name as keyof typeof PACKAGED]}`;
  if (!existsSync(path)) return undefined;
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return { path, version: version.replace(/^v/, "") };
}

function findBrowser(name: Browser): Tool | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  for (const path of SYSTEM[name].flatMap((command) => folders.map((folder) => `${folder}/${command}`))) {
    if (!existsSync(path)) continue;
    const said = execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return { path, version: said.match(/[\d.]+\d/)?.[0] ?? said.trim() };
  }
  return undefined;
}
