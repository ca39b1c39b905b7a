/** A display for browsers that draw WebGL by the system's OpenGL alone, as Firefox does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync } from "node:fs";
import { delimiter, join } from "node:path";

const xvfb = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "Xvfb"))
  .find(isThere);

/** For `describeWith`. */
export const display = {
  name: "A display, or Xvfb,",
  isThere: process.platform !== "linux" || process.env.DISPLAY !== undefined || xvfb !== undefined,
  install: "apt-get install xvfb",
};

/** Opens a display in the environment that browsers inherit, if there is none. Gives the way to close it. */
export async function openDisplay(): Promise<() => void> {
  if (process.platform !== "linux" || process.env.DISPLAY !== undefined) return () => {};
  const server = spawn(xvfb!, ["-displayfd", "1", "-screen", "0", "800x600x24"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [number] = await once(server.stdout, "data");
  Object.assign(process.env, { DISPLAY: `:${String(number).trim()}`, LIBGL_ALWAYS_SOFTWARE: "1" });
  return () => {
    delete process.env.DISPLAY;
    server.kill();
  };
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
