/** Workers that stand still, die, or are ended, in every runtime and browser: see `late-program.js`. */
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, expect, it } from "vitest";
import { closeBrowsers, visit } from "../../compat/browsers.ts";
import { BUN, DENO, NODES } from "../../compat/runtimes.ts";
import { openSite } from "../../compat/site.ts";
import { BROWSERS, findTool, howToInstall, tool } from "../../compat/tools.ts";
import { BUNDLE } from "../../tools/bundle.mjs";
import { describeWith } from "../support/required.ts";

const folder = mkdtempSync(join(tmpdir(), "rmsprop-wasm-late-"));
afterAll(closeBrowsers);

const { outputFiles } = await build({
  ...BUNDLE,
  entryPoints: ["test/threads/late-program.js"],
  alias: { "rmsprop-wasm": "./src/index.ts", "rmsprop-wasm/checkpoint": "./src/checkpoint.ts" },
  write: false,
});
const program = join(folder, "late.mjs");
for (const path of [program, join(folder, "late.js")]) writeFileSync(path, outputFiles[0]!.text);

const RUNTIMES = [...NODES, DENO, BUN] as const;
for (const name of RUNTIMES) {
  const needed = { name, isThere: findTool(name) !== undefined, install: howToInstall(name) };
  describeWith(needed, name, () => {
    it("writes nothing behind anyone's back", async () => {
      const args = name === DENO ? ["run", "--allow-all", program] : [program];
      const { stdout } = await promisify(execFile)(tool(name).path, args, { timeout: 280_000 });
      expect(JSON.parse(stdout)).toEqual([]);
    });
  });
}

for (const name of BROWSERS) {
  const needed = { name, isThere: findTool(name) !== undefined, install: howToInstall(name) };
  describeWith(needed, name, () => {
    it("writes nothing behind anyone's back", async () => {
      const site = await openSite(folder);
      try {
        expect(await visit(name, `${site.url}/isolated/late.html`)).toEqual([]);
      } finally {
        site.close();
      }
    });
  });
}
