/** The race on the built page, in real browsers: what the visitor sees, points at and sets. */
import { describe, expect, it } from "vitest";
import { describeInBrowsers, serveForTests } from "./pages.ts";
import type { Visitor } from "./visitor.ts";

const distanceOf = async (visitor: Visitor, racer: string) => {
  const rows = await visitor.page.$$eval("#board tr", (rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent)),
  );
  return Number(rows.find(([title]) => title === racer)![1]);
};
const steps = async (visitor: Visitor) => Number(await visitor.text("#race-steps"));

describeInBrowsers(serveForTests(), (visit) => {
  describe("the race", () => {
    it("moves before the visitor's eyes", async () => {
      const visitor = await visit();
      await visitor.press("#race-again");
      await visitor.until("#race-steps", (text) => Number(text) > 60);
      for (const racer of ["rmsprop", "scheduleFree", "adam", "descent"]) {
        const path = await visitor.page.$eval(`path.${racer}`, (line) => line.getAttribute("d")!);
        expect(path.split("L").length).toBeGreaterThan(60);
      }
      const [rx, ry] = await visitor.page.$eval(".ellipse", (ellipse) =>
        ["rx", "ry"].map((of) => Number(ellipse.getAttribute(of))),
      );
      expect([rx! > 0, ry! > 0]).toEqual([true, true]);
    });

    it("ends when RMSprop arrives, with a verdict; at once for those who want things to stand still", async () => {
      const visitor = await visit({ wantsStillness: true });
      await visitor.press("#race-again");
      expect(await visitor.text("#race-verdict")).toMatch(/^RMSprop arrives first, at step \d+\./);
      expect(await steps(visitor)).toBeLessThan(600);
      expect(await distanceOf(visitor, "RMSprop")).toBeLessThan(
        (await distanceOf(visitor, "Gradient descent")) / 2,
      );
      const isPauseOff = () =>
        visitor.page.$eval("#race-pause", (button) => (button as HTMLButtonElement).disabled);
      expect(await isPauseOff()).toBe(true);

      await visitor.slide("#race-lr", -4);
      expect(await steps(visitor)).toBe(600);
      expect(await visitor.text("#race-verdict")).toMatch(
        /^RMSprop is not there after 600 steps: [\d.]+ to go/,
      );
    });

    it("stands still while it is paused, and starts again when it is asked to", async () => {
      const visitor = await visit();
      await visitor.press("#race-again");
      await visitor.until("#race-steps", (text) => Number(text) > 15);
      await visitor.press("#race-pause");
      const before = await steps(visitor);
      expect(await visitor.text("#race-caption")).toMatch(`Step ${before}.`);
      await visitor.slide("#race-alpha", 1);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await steps(visitor)).toBe(before);
      await visitor.press("#race-again");
      await visitor.until("#race-steps", (text) => Number(text) > 0 && Number(text) < before);
      expect(await visitor.text("#race-pause")).toBe("Pause");
      await visitor.until("#race-verdict", (text) => text.startsWith("RMSprop arrives"));
    });

    it("takes new settings at once, and goes on from where it is", async () => {
      const visitor = await visit();
      await visitor.press("#race-again");
      await visitor.until("#race-steps", (text) => Number(text) > 30);
      await visitor.press("#race-pause");
      const before = { steps: await steps(visitor), rate: Number(await visitor.text("#rate-y")) };
      await visitor.slide("#race-lr", 0);
      // It pauses in the frame that has made a step: a busy machine would ask hundreds of steps later.
      await visitor.page.evaluate(async (before) => {
        const pause = document.querySelector("#race-pause") as HTMLElement;
        const shown = document.querySelector("#race-steps") as HTMLElement;
        pause.click();
        while (Number(shown.textContent) <= before) await new Promise(requestAnimationFrame);
        pause.click();
      }, before.steps);
      expect(Number(await visitor.text("#rate-y"))).toBeGreaterThan(3 * before.rate);
      expect(await steps(visitor)).toBeLessThan(before.steps + 400);
      await visitor.press("#race-pause");

      await visitor.page.select("#race-dialect", "graves2013");
      expect(await visitor.page.$eval("#race-centered", (box) => (box as HTMLInputElement).checked)).toBe(
        true,
      );
      const then = await steps(visitor);
      await visitor.until("#race-steps", (text) => Number(text) > then);
      await visitor.slide("#race-momentum", 0.5);
      expect(await visitor.page.$eval("#race-dialect", (list) => (list as HTMLSelectElement).value)).toBe(
        "own",
      );
    });

    it("starts where the visitor points, by mouse and by keys", async () => {
      const visitor = await visit();
      await visitor.press("#race-pause");
      const box = (await (await visitor.page.$("#stage svg"))!.boundingBox())!;
      await visitor.page.mouse.click(box.x + box.width / 2, box.y + box.height / 4);
      await visitor.until("#race-steps", (text) => Number(text) > 0);
      const start = () =>
        visitor.page.$eval("path.rmsprop", (line) =>
          line
            .getAttribute("d")!
            .match(/^M([\d.]+),([\d.]+)/)!
            .slice(1)
            .map(Number),
        );
      const [x, y] = await start();
      expect(Math.abs(x! - 320)).toBeLessThan(3);
      expect(Math.abs(y! - 100)).toBeLessThan(3);

      await visitor.page.focus("#stage");
      for (const key of ["ArrowLeft", "ArrowUp", "ArrowUp", "Enter"] as const)
        await visitor.page.keyboard.press(key);
      const [left, up] = await start();
      expect([x! - left!, y! - up!].map(Math.round)).toEqual([8, 16]);
    });

    it("is run on every landscape", async () => {
      const visitor = await visit();
      for (const [landscape, title] of [
        ["saddle", "pass"],
        ["bowl", "two hundred"],
        ["noisy", "told wrongly"],
        ["ravine", "ravine"],
      ]) {
        await visitor.press(`#race-surface input[value=${landscape}]`);
        expect(await visitor.text("#race-landscape")).toContain(title);
        await visitor.until("#race-steps", (text) => Number(text) > 3);
      }
    });
  });
});
