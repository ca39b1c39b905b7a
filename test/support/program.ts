/** Programs for processes of their own. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "programs-"));
let count = 0;

/** Gives the path of a file with this program: a bundle of the main entry is longer than Linux lets an argument be. */
export function programFile(code: string): string {
  const path = join(folder, `${count++}.mjs`);
  writeFileSync(path, code);
  return path;
}
