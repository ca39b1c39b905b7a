/** The drop-in on graphics cards, by a browser's software rendering: results, programs, memory. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { closeBrowsers } from "../../compat/browsers.ts";
import type { Browser } from "../../compat/tools.ts";
import { display, openDisplay } from "../support/display.ts";
import { describeWith } from "../support/required.ts";
import type { Outcome, Report } from "./graphics-page.ts";
import { browserTool, openPages, type Pages, tfjsOf, VERSIONS, type Version } from "./pages.ts";

type Options = Outcome["options"];

const planes = ({ momentum, centered, scheduleFree }: Options) =>
  2 + [momentum, centered, scheduleFree].filter(Boolean).length;

/** The dispatches that a variable takes on webgpu. Each has eight buffers: the gradient, all planes, and those that it writes. */
const dispatches = (planes: number) => Math.ceil(planes / (8 - (1 + planes)));

describeWith(browserTool("chromium"), "in Chromium", () => {
  afterAll(closeBrowsers);
  for (const version of VERSIONS) testsOf(version, "chromium");
});

describeWith(browserTool("firefox"), "in Firefox", () => {
  describeWith(display, "by the system's OpenGL", () => {
    let close: () => void;
    beforeAll(async () => {
      close = await openDisplay();
    });
    afterAll(async () => {
      await closeBrowsers();
      close();
    });
    for (const version of VERSIONS) testsOf(version, "firefox");
  });
});

function testsOf(version: Version, browser: Browser): void {
  describeWith(tfjsOf(version), `the drop-in on graphics cards, tf.js ${version}`, () => {
    let pages: Pages;
    beforeAll(async () => {
      pages = await openPages(["graphics-page"], version);
    });
    afterAll(() => pages.close());

    async function open(query: string): Promise<Report> {
      const report = await pages.report<Report>(browser, `graphics-page.html?${query}`);
      expect(report.version).toBe(version);
      expect(report.warnings).toEqual([]);
      return report;
    }

    it.each<[string, string, (planes: number) => number]>([
      ["one program for each variable", "", () => 1],
      [
        "two on cards that draw into two textures at most",
        "brief&targets=2",
        (planes) => Math.ceil(planes / 2),
      ],
      ["one for each plane on cards that draw into one", "brief&targets=1", (planes) => planes],
      ["one for each variable, with unpacked textures", "brief&WEBGL_PACK=false", () => 1],
      ["one for each plane, with WebGL 1", "brief&WEBGL_VERSION=1", (planes) => planes],
    ])("agrees with RMSprop on webgl: %s", async (_, query, programs) => {
      expectAgreement(await open(query), (options) => programs(planes(options)));
    });

    it("compiles one program for each rank on webgl, whatever the shapes", async () => {
      expect((await open("brief")).compiled).toBe(3);
    });

    it("stays finite and near where the card has float16 alone", async () => {
      const { outcomes, clipped } = await open("brief&WEBGL_FORCE_F16_TEXTURES=true");
      for (const { options, shape, distance } of [...outcomes, ...clipped]) {
        // Parameters up to 1, rounded or cut off to eleven bits at each of three steps, and so the state.
        expect({ options, shape, near: distance <= 4 * 2 ** -10 }).toEqual({ options, shape, near: true });
      }
    });

    // The first version has no such backend, and Firefox has no WebGPU on Linux.
    if (version !== "4.0.0" && browser === "chromium") {
      it("agrees with RMSprop on webgpu: one dispatch for each variable, or more with many planes", async () => {
        expect([2, 3, 4, 5].map(dispatches)).toEqual([1, 1, 2, 3]);
        expectAgreement(await open("backend=webgpu"), (options) => dispatches(planes(options)), isLate);
      });
    }
  });
}

/** The errors with `nonFinite: "throw"` where the card is waited for, and where it isn't. */
const isAtOnce = [null, "b hold a NaN", null, null, "b hold a NaN", null];
const isLate = [null, null, "b held a NaN", null, null, "b held a NaN"];

function expectAgreement(report: Report, programsFor: (options: Options) => number, errors = isAtOnce): void {
  const { outcomes, clipped, skipping, left, kept, throwing } = report;
  expect(outcomes.length).toBeGreaterThan(21);
  expect(outcomes.every(({ isBack }) => isBack)).toBe(true);
  for (const { options, shape, distance, programs } of outcomes) {
    // Three steps of at most 0.03; a card's divisions and roots may err by a few units in the last place.
    expect({ options, shape, near: distance <= 1e-6 }).toEqual({ options, shape, near: true });
    const expected = shape.includes(0) ? 0 : programsFor(options);
    expect({ options, shape, programs }).toEqual({ options, shape, programs: expected });
  }
  for (const { distance } of clipped) expect(distance).toBeLessThanOrEqual(1e-6);
  for (const { options, shape, reads } of [...outcomes, ...clipped]) {
    expect({ options, shape, reads }).toEqual({ options, shape, reads: 0 });
  }
  expect(skipping.length).toBeGreaterThanOrEqual(8);
  for (const { options, distance, reads, skippedSteps, iterations } of skipping) {
    // JSON leaves out a rate that is a function. What follows the count of steps has to know it at each.
    const followsCount = options.biasCorrection || options.lr === undefined;
    expect({ options, near: distance <= 1e-6, isUnread: reads === 0, skippedSteps, iterations }).toEqual({
      options,
      near: true,
      isUnread: !followsCount,
      skippedSteps: 1,
      iterations: 3,
    });
  }
  expect(throwing.errors).toEqual(errors.map((error) => error && expect.stringContaining(error)));
  const isWaited = errors === isAtOnce;
  expect(throwing).toMatchObject({
    // Where the error comes later, it is the third step that throws it.
    changes: [true, false, isWaited, true, false],
    iterations: isWaited ? [3, 3] : [2, 2],
    left: 0,
  });
  expect(throwing.waits > 0).toBe(isWaited);
  expect(left).toEqual({ tensors: 0, bytes: 0 });
  expect([kept.clone, kept.pending]).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(kept.after[0]).toBeLessThan(1);
}
