/** Many optimizers in a page, whose engine has addresses for some hundred memories: the error says what to do, and that helps. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, expect, it } from "vitest";
import { closeBrowsers, visit } from "../../compat/browsers.ts";
import { openSite } from "../../compat/site.ts";
import { findTool, howToInstall } from "../../compat/tools.ts";
import { BUNDLE } from "../../tools/bundle.mjs";
import { describeWith } from "../support/required.ts";

const folder = mkdtempSync(join(tmpdir(), "rmsprop-wasm-many-"));
afterAll(closeBrowsers);

const PROGRAM = `
  import { RMSprop } from "./index.ts";
  const held = [];
  const fill = (most, options) => {
    const before = held.length;
    try {
      while (held.length - before < most) held.push(new RMSprop({ w: [4] }, options));
    } catch ({ name, message }) {
      return { name, message };
    }
  };
  const error = fill(300);
  const room = held.length;
  for (const optimizer of held.splice(0, 60)) optimizer.dispose();
  const afterDispose = fill(50);
  const memory = held[0].memory;
  const inOneMemory = fill(500, { memory });
  held.forEach((optimizer, i) => { optimizer.grads.w.fill(i); optimizer.step(); });
  globalThis.result = { room, error, afterDispose, inOneMemory, held: held.length };
`;

const chromium = {
  name: "chromium",
  isThere: findTool("chromium") !== undefined,
  install: howToInstall("chromium"),
};
describeWith(chromium, "in a page of Chromium", () => {
  it("what the message of the first optimizer too many advises makes room", async () => {
    const stdin = { contents: PROGRAM, resolveDir: "src" };
    const { outputFiles } = await build({ ...BUNDLE, stdin, write: false });
    writeFileSync(join(folder, "many.js"), outputFiles[0]!.text);
    const site = await openSite(folder);
    try {
      const result = (await visit("chromium", `${site.url}/free/many.html`)) as {
        room: number;
        error: { name: string; message: string };
        held: number;
      };
      expect(result.error.name).toBe("MemoryError");
      expect(result.error.message).toMatch(/dispose\(\) of finished optimizers.*one shared `memory`/);
      expect(result.room).toBeGreaterThan(60);
      expect(result).not.toHaveProperty("afterDispose");
      expect(result).not.toHaveProperty("inOneMemory");
      expect(result.held).toBe(result.room - 60 + 50 + 500);
    } finally {
      site.close();
    }
  });
});
