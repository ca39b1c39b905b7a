/** The drop-in on graphics cards, by a browser's software rendering: results, programs, memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { closeBrowsers, visit } from "../../compat/browsers.ts";
import { openSite } from "../../compat/site.ts";
import { findTool, howToInstall } from "../../compat/tools.ts";
import { packagesOfRivals } from "../../tools/tfjs.mjs";
import { display, openDisplay } from "../support/display.ts";
import { describeWith } from "../support/required.ts";
import type { Incidents, Outcome, Report } from "./graphics-page.ts";
import { tfjs } from "./installed.ts";

describeWith(tfjs, "the drop-in on graphics cards", () => {
  const folder = mkdtempSync(join(tmpdir(), "rmsprop-wasm-graphics-"));
  const source = (name: string) => fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url));
  let site: Awaited<ReturnType<typeof openSite>>;
  beforeAll(async () => {
    await build({
      entryPoints: [fileURLToPath(new URL("graphics-page.ts", import.meta.url))],
      alias: { "rmsprop-wasm/tfjs": source("tfjs"), "rmsprop-wasm/js": source("js") },
      nodePaths: [fileURLToPath(packagesOfRivals)],
      bundle: true,
      format: "esm",
      outdir: folder,
    });
    site = await openSite(folder);
  });
  afterAll(async () => {
    await closeBrowsers();
    site.close();
    rmSync(folder, { recursive: true });
  });

  const tool = (browser: "chromium" | "firefox") => ({
    name: browser,
    isThere: findTool(browser) !== undefined,
    install: howToInstall(browser),
  });
  describeWith(tool("chromium"), "in Chromium", () => {
    testsIn("chromium");

    it("goes on when the backend changes or computes wrong, and says what to do when the context is lost", async () => {
      const text = await visit("chromium", `${site.url}/free/graphics-page.html?incidents`);
      const { error, undisturbed, moved, broken, lost, warnings } = JSON.parse(text as string) as Incidents;
      expect(error).toBe(undefined);
      expect(moved).toEqual(undisturbed);
      for (const [i, value] of broken.entries()) expect(value).toBeCloseTo(undisturbed[i]!, 6);
      expect(lost).toMatch(
        /BackendError: .*graphics card away from tf.js.* load the model that was saved last/,
      );
      expect(warnings.filter((warning) => warning.includes("rmsprop"))).toEqual([
        expect.stringMatching(/can't run its own programs on the webgl backend .* takes a slower way/),
      ]);
    });

    it("agrees with RMSprop on webgpu, in one dispatch, or two for seven planes", async () => {
      expectAgreement(await open("chromium", "backend=webgpu"), ({ momentum, centered }) =>
        momentum && centered ? 2 : 1,
      );
    });
  });
  describeWith(tool("firefox"), "in Firefox", () => {
    describeWith(display, "by the system's OpenGL", () => {
      let close: () => void;
      beforeAll(async () => {
        close = await openDisplay();
      });
      afterAll(async () => {
        await closeBrowsers();
        close();
      });
      testsIn("firefox");
    });
  });

  async function open(browser: "chromium" | "firefox", query: string): Promise<Report> {
    const text = await visit(browser, `${site.url}/free/graphics-page.html?${query}`);
    const report = JSON.parse(text as string) as Report;
    expect(report.error).toBe(undefined);
    expect(report.warnings).toEqual([]);
    return report;
  }

  function expectAgreement(report: Report, programsFor: (options: Outcome["options"]) => number): void {
    const { outcomes, clipped, left, kept } = report;
    expect(outcomes.length).toBeGreaterThan(50);
    for (const { options, shape, distance, programs } of outcomes) {
      // Three steps of at most 0.03; a card's divisions and roots may err by a few units in the last place.
      expect({ options, shape, near: distance <= 1e-6 }).toEqual({ options, shape, near: true });
      expect({ options, shape, programs }).toEqual({ options, shape, programs: programsFor(options) });
    }
    for (const { distance } of clipped) expect(distance).toBeLessThanOrEqual(1e-6);
    expect(left).toEqual({ tensors: 0, bytes: 0 });
    expect([kept.clone, kept.pending]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(kept.after[0]).toBeLessThan(1);
  }

  function testsIn(browser: "chromium" | "firefox"): void {
    it.each([
      ["packed textures", ""],
      ["unpacked textures", "WEBGL_PACK=false"],
      ["WebGL 1", "WEBGL_VERSION=1"],
    ])("agrees with RMSprop on webgl, one program for each plane: %s", async (_, query) => {
      expectAgreement(
        await open(browser, query),
        ({ momentum, centered }) => 2 + (momentum ? 1 : 0) + (centered ? 1 : 0),
      );
    });

    it("stays finite and near where the card has float16 alone", async () => {
      const { outcomes, clipped } = await open(browser, "WEBGL_FORCE_F16_TEXTURES=true");
      for (const { options, shape, distance } of [...outcomes, ...clipped]) {
        // Parameters up to 1, rounded or cut off to eleven bits at each of three steps, and so the state.
        expect({ options, shape, near: distance <= 4 * 2 ** -10 }).toEqual({ options, shape, near: true });
      }
    });
  }
});
