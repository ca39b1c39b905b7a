/** The built page in each browser that is there: served, visited, and closed again, without complaints. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launch } from "../../compat/browsers.ts";
import { BROWSER_NAMES, BROWSERS, findTool, howToInstall } from "../../compat/tools.ts";
import { buildDemo } from "../../demo/site/build.mjs";
import { serveDemo } from "../../demo/site/serve.mjs";
import { describeWith } from "../support/required.ts";
import { type SIZES, Visitor } from "./visitor.ts";

type Name = (typeof BROWSERS)[number];

/** For `describeWith`. */
export const browserTool = (name: Name) => ({
  name: BROWSER_NAMES[name],
  isThere: findTool(name) !== undefined,
  install: howToInstall(name),
});

/** Builds the page before a file's tests, and serves it with and without the headers of isolation. */
export function serveForTests() {
  const served = {} as Record<"isolated" | "plain", Awaited<ReturnType<typeof serveDemo>>>;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "demo-"));
    await buildDemo({ folder, tsconfig: "tsconfig.json" });
    [served.isolated, served.plain] = await Promise.all([
      serveDemo(folder),
      serveDemo(folder, { isIsolated: false }),
    ]);
  });
  afterAll(() => Promise.all([served.isolated.close(), served.plain.close()]));
  return served;
}

interface Visit {
  readonly isIsolated?: boolean;
  readonly size?: keyof typeof SIZES;
  readonly wantsStillness?: boolean;
  /** Another than the one that all tests share. */
  readonly browser?: Browser;
}

/** Has tests of the page run in each browser. `visit` opens it, and the page is closed after each test. */
export function describeInBrowsers(
  served: ReturnType<typeof serveForTests>,
  define: (visit: (options?: Visit) => Promise<Visitor>, name: Name) => void,
): void {
  for (const name of BROWSERS) {
    describeWith(browserTool(name), `the page in ${BROWSER_NAMES[name]}`, () => {
      let shared: Browser;
      let visitor: Visitor;
      beforeAll(async () => {
        shared = await launch(name);
      });
      afterAll(() => shared?.close());
      afterEach(async () => {
        await visitor.page.close();
        expect(visitor.complaints).toEqual([]);
      });
      define(async ({ isIsolated = true, browser = shared, ...options } = {}) => {
        visitor = await Visitor.to(served[isIsolated ? "isolated" : "plain"].address, browser, options);
        return visitor;
      }, name);
    });
  }
}
