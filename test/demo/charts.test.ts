/** The pages' pictures are what the newest result and the race's own code give. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pictures, picturesFolder } from "../../demo/site/charts.ts";

const [readme, tuning] = ["README.md", "docs/no-tuning.md"].map((page) =>
  readFileSync(new URL(`../../${page}`, import.meta.url), "utf8"),
);
const drawn = pictures();

describe("the pictures", () => {
  it.each(Object.keys(drawn))("%s is as it is drawn now: else `npm run charts`", (name) => {
    expect(readFileSync(new URL(name, picturesFolder), "utf8")).toBe(drawn[name]);
  });

  it("are all there is, and all shown, each for its theme", () => {
    expect(readdirSync(picturesFolder).sort()).toEqual(Object.keys(drawn).sort());
    for (const name of Object.keys(drawn)) {
      expect(name.startsWith("tuning") ? tuning : readme).toContain(`images/${name}`);
    }
  });
});
