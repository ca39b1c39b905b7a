/** The drop-in in a page that loads tf.js by a script tag, as the docs say. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { closeBrowsers } from "../../compat/browsers.ts";
import { filesApart } from "../../scripts/entries.mjs";
import { BUNDLE } from "../../tools/bundle.mjs";
import { peerModules } from "../../tools/tfjs.mjs";
import { codeBlocks } from "../support/code-blocks.ts";
import { describeWith } from "../support/required.ts";
import { browserTool, openPages, type Pages, tfjsOf } from "./pages.ts";

/** tf.js's own bundle, which the page finds at this address, has these parts. */
const TF = `
  export * from "@tensorflow/tfjs-core";
  export * from "@tensorflow/tfjs-layers";
  import "@tensorflow/tfjs-core/dist/register_all_gradients";
  import "@tensorflow/tfjs-backend-cpu";
`;

function exampleOfDocs(): string {
  const page = readFileSync(new URL("../../docs/from-tfjs.md", import.meta.url), "utf8");
  return codeBlocks(page).find(({ language }) => language === "html")!.code;
}

describeWith(browserTool("chromium"), "in Chromium", () => {
  describeWith(tfjsOf("4.22.0"), "a page with a global tf", () => {
    let pages: Pages;
    beforeAll(async () => {
      pages = await openPages([]);
      const outdir = pages.folder;
      await build({
        stdin: { contents: TF, resolveDir: "." },
        nodePaths: [fileURLToPath(peerModules)],
        bundle: true,
        globalName: "tf",
        outfile: join(outdir, "tf.js"),
      });
      const entryPoints = ["tfjs", "tfjs-cards", "tfjs-global", "errors"].map((name) => `src/${name}.ts`);
      await build({ ...BUNDLE, entryPoints, plugins: [...BUNDLE.plugins, filesApart], outdir });
    });
    afterAll(async () => {
      await closeBrowsers();
      pages.close();
    });

    it("trains by the drop-in, as the docs say", async () => {
      const local = exampleOfDocs()
        .replace(/https:.*tfjs@4\.22\.0/, "tf.js")
        .replaceAll(/https:.*\/dist\//g, "./");
      const end = local.lastIndexOf("</script>");
      const report = `
        const { RMSPropOptimizer } = await import("rmsprop-wasm/tfjs");
        const [value] = model.predict(tf.tensor2d([[3]])).dataSync();
        globalThis.result = JSON.stringify({ value, isOwn: model.optimizer instanceof RMSPropOptimizer });
      `;
      writeFileSync(
        join(pages.folder, "example.html"),
        `<!doctype html>${local.slice(0, end)}${report}${local.slice(end)}`,
      );
      const { value, isOwn } = await pages.report<{ value: number; isOwn: boolean }>(
        "chromium",
        "example.html",
      );
      expect(isOwn).toBe(true);
      expect(Math.abs(value - 7)).toBeLessThan(0.5);
    });

    it("has every name that the drop-in imports, and no other", async () => {
      vi.stubGlobal("tf", {});
      const names = Object.keys(await import("../../src/tfjs-global.ts"));
      vi.unstubAllGlobals();
      const bundle = ["tfjs.js", "tfjs-cards.js"]
        .map((name) => readFileSync(join(pages.folder, name), "utf8"))
        .join();
      const lists = [...bundle.matchAll(/import \{([^}]*)\} from "@tensorflow\/tfjs-core"/g)];
      const imported = lists.flatMap(([, list]) =>
        list!.split(",").map((name) => name.trim().split(" ")[0]!),
      );
      expect(names.sort()).toEqual([...new Set(imported)].sort());
    });
  });
});

it("without a global tf says what to load", async () => {
  vi.resetModules();
  await expect(import("../../src/tfjs-global.ts")).rejects.toThrow(/load tf.js by a <script> before/);
});
