/** The tools that judge what is published have a lock of their own, here. */
import { existsSync } from "node:fs";

export const tools = {
  name: "What judges the package",
  isThere: existsSync(new URL("node_modules", import.meta.url)),
  install: "npm ci --prefix test/tools",
};

/** From this folder, where they resolve. */
export const importTool = (name: string): Promise<unknown> => import(name);
