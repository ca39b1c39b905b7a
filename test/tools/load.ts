/** The tools that judge the published package. They have a lock of their own, in this folder. */
import { existsSync } from "node:fs";

export const tools = {
  name: "What judges the package",
  isThere: existsSync(new URL("node_modules", import.meta.url)),
  install: "npm ci --prefix test/tools",
};

/** From this folder, where they resolve. */
export const importTool = (name: string): Promise<unknown> => import(name);
