import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const PREFIX = "rmsprop-"; // short, since Chromium's socket in it may have a path of 107 bytes

/**
 * Gives this process and all that it starts a temporary folder of their own, which goes with it. Browsers, packers and
 * programs that are killed leave files behind, and a machine that tests often ran out of disk by them.
 */
export function openScratch(): void {
  if (basename(tmpdir()).startsWith(PREFIX)) return; // the starter's, or this one's: Vitest asks once for each project
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(folder, 0o755); // tests of permissions run programs as somebody who isn't root
  for (const name of ["TMPDIR", "TEMP", "TMP"]) process.env[name] = folder; // Unix asks for the first, Windows for the others
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
}
