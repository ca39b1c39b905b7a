/** Training goes on when tf.js's backend changes or breaks, and says what to do when it goes. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { closeBrowsers } from "../../compat/browsers.ts";
import { describeWith } from "../support/required.ts";
import type { Report } from "./incidents-page.ts";
import { browserTool, openPages, type Pages, tfjsOf } from "./pages.ts";

describeWith(browserTool("chromium"), "in Chromium", () => {
  describeWith(tfjsOf("4.22.0"), "the drop-in", () => {
    let pages: Pages;
    let found: Report;
    beforeAll(async () => {
      pages = await openPages(["incidents-page"]);
      found = await pages.report("chromium", "incidents-page.html");
    });
    afterAll(async () => {
      await closeBrowsers();
      pages.close();
    });

    const expectNear = (name: string) => {
      const values = found.outcomes[name];
      const undisturbed = found.outcomes.cpu as number[];
      expect(values).toEqual(undisturbed.map((value) => expect.closeTo(value, 6)));
    };

    it.each(
      ["webgl", "webgpu", "cpu"].flatMap((one) =>
        ["webgl", "webgpu", "cpu"].filter((other) => other !== one).map((other) => `${one}, then ${other}`),
      ),
    )("keeps parameters and state on another backend: %s", expectNear);

    it.each(
      ["webgl", "webgpu"].flatMap((backend) =>
        ["at once", "ready between", "left before it is ready", "come back to"].map(
          (when) => `${backend}, ${when}`,
        ),
      ),
    )("trains before the programs for the card are there, and on: %s", expectNear);

    it("finds out that programs compute wrong, says so once and takes tf.js's operations", () => {
      expectNear("broken webgl");
      expectNear("broken webgpu");
      expect(found.warnings).toEqual(
        ["webgl", "webgpu"].map((backend) =>
          expect.stringMatching(
            new RegExp(`can't run its own programs on the ${backend} backend .* takes a slower way`),
          ),
        ),
      );
    });

    it.each([
      "lost context",
      "lost and restored context",
      "lost context, then cpu",
      "lost context, then saved",
      "lost device",
    ])("says what to do when the card is gone: %s", (name) => {
      expect(found.outcomes[name]).toMatch(
        /^BackendError: .*graphics card away from tf.js.* load the model that was saved last/,
      );
    });

    it("trains on a new backend after that", () => expectNear("after a lost context, anew"));
  });
});
