/** The tools that judge the package, which have a lock of their own. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = fileURLToPath(new URL("../tools/", import.meta.url));
const { resolve } = createRequire(`${folder}package.json`);

export const tools = {
  name: "What judges the package",
  isThere: existsSync(`${folder}node_modules`),
  install: "npm ci --prefix test/tools",
};

export const toolPath = (name: string): string => resolve(name);

export const importTool = (name: string): Promise<unknown> => import(pathToFileURL(toolPath(name)).href);
