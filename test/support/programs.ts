/** Programs for processes of their own, bundled with the sources: a loader of TypeScript would take time and memory of its own. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { BUNDLE } from "../../tools/bundle.mjs";

let folder: string | undefined;
let written = 0;

/** Gives the path of a module with this code, which imports the sources as `./index.ts` and the like. */
export async function programOf(code: string): Promise<string> {
  const stdin = { contents: code, resolveDir: "src" };
  const { outputFiles } = await build({ ...BUNDLE, stdin, write: false });
  // A file, since an argument of a command may have 128 KiB.
  folder ??= mkdtempSync(join(tmpdir(), "rmsprop-wasm-program-"));
  const path = join(folder, `${written++}.mjs`);
  writeFileSync(path, outputFiles[0]!.text);
  return path;
}
