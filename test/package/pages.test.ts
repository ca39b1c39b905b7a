/** The README and the pages in docs/: their code gives the values that it says, and the files they name are there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withTables } from "../../bench/readme-table.ts";
import { newestResult } from "../../bench/store.ts";
import { codeBlocks, expectToRun } from "../support/code-blocks.ts";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";

const url = (name: string, base: string | URL = import.meta.url) => new URL(name, base);
const root = url("../../");
const names = readdirSync(url("docs", root)).filter((name) => name.endsWith(".md"));
const pages = ["README.md", ...names.map((name) => `docs/${name}`)];

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  const headings = markdown.matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\d _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe.each(pages)("%s", (page) => {
  const text = readFileSync(url(page, root), "utf8");
  const blocks = codeBlocks(text);
  const examples = blocks.filter(({ language }) => language === "ts").map(({ code }) => code);
  const runs = () => it.each(examples)("runs: %s", expectToRun);
  if (text.includes('from "@tensorflow/')) describeWith(tfjs, "beside tf.js", runs);
  else runs();

  it("has no code in a language that isn't run here", () => {
    for (const { language } of blocks) expect(["ts", "sh", "text"]).toContain(language);
    expect(examples.length).toBeGreaterThan(0);
  });

  it("names commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(url("package.json", root), "utf8"));
    for (const [, name] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name);
  });

  it("links to what is there", () => {
    for (const [, path, anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)) {
      const file = url(path!, url(page, root));
      expect(existsSync(file), path).toBe(true);
      if (anchor) expect(anchorsOf(readFileSync(file, "utf8"))).toContain(anchor);
    }
  });
});

describe("the README", () => {
  const readme = readFileSync(url("README.md", root), "utf8");

  it("shows the figures of the newest complete run of the benchmarks", () => {
    expect(withTables(readme, newestResult())).toBe(readme);
  });

  it("links to every page in docs/", () => {
    const links = Array.from(readme.matchAll(/\]\((docs\/[^)]*)\)/g), ([, path]) => path);
    expect(links).toEqual(expect.arrayContaining(pages.slice(1)));
  });
});
