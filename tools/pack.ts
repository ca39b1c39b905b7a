import { execSync } from "node:child_process";
import { cpSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const LEFT_OUT = ["node_modules", "dist", ".git"];

/**
 * Builds the package and packs it, as it would be published, into a directory. In a copy of the repository, `origin`: a
 * build writes generated sources too, which tests compare meanwhile with what they should be.
 */
export function packInto(directory: string): { origin: string; tarball: string } {
  const origin = join(directory, "origin");
  cpSync(root, origin, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
  symlinkSync(join(root, "node_modules"), join(origin, "node_modules"), "junction");
  const packing = execSync("npm pack --pack-destination ..", { cwd: origin, stdio: "pipe" }).toString();
  return { origin, tarball: join(directory, packing.trim().split("\n").at(-1)!) };
}
