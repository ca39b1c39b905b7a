/** The README and the pages in docs/: their code gives the values that it says, and the files they name are there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { matchesGlob } from "node:path";
import { describe, expect, it } from "vitest";
import { pagesWithTables, withTables } from "../../bench/readme-table.ts";
import { newestResult } from "../../bench/store.ts";
import { codeBlocks, expectToRun, isJavaScript } from "../support/code-blocks.ts";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";

const url = (name: string, base: string | URL = import.meta.url) => new URL(name, base);
const root = url("../../");
const names = readdirSync(url("docs", root)).filter((name) => name.endsWith(".md"));
const pages = ["README.md", ...names.map((name) => `docs/${name}`)];
const read = (path: string) => readFileSync(url(path, root), "utf8");
const { scripts, files, version, exports } = JSON.parse(read("package.json"));

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

/** Whether npm packs the file: some it packs without being told. */
function isPublished(path: string): boolean {
  const always = ["README.md", "LICENSE", "package.json"];
  return [...always, ...files].some((pattern) => matchesGlob(path, pattern));
}

describe.each(pages)("%s", (page) => {
  const text = read(page);
  const blocks = codeBlocks(text);
  const examples = blocks.filter(({ language }) => language === "ts").map(({ code }) => code);
  const runs = () => it.each(examples)("runs: %s", expectToRun);
  if (text.includes('from "@tensorflow/')) describeWith(tfjs, "beside tf.js", runs);
  else runs();

  it("has no code in a language that isn't run here", () => {
    for (const { language } of blocks) expect(["ts", "sh", "text", "html"]).toContain(language);
    expect(examples.length).toBeGreaterThan(0);
  });

  it("has code that can be pasted into JavaScript, or says that it is TypeScript", async () => {
    for (const code of examples) {
      expect((await isJavaScript(code)) || code.includes("TypeScript"), code).toBe(true);
    }
  });

  it("names commands that exist", () => {
    for (const [, name] of text.matchAll(/npm run\s+([\w:-]+)/g))
      expect(Object.keys(scripts)).toContain(name);
  });

  it("links to what is there, here and in the package", () => {
    const links = text.matchAll(/(?:\]\(|(?:src|srcset)=")(?!https?:)([^)"#]*)#?([^)"]*)[)"]/g);
    for (const [, path, anchor] of links) {
      const file = path ? url(path, url(page, root)) : url(page, root);
      expect(existsSync(file), path).toBe(true);
      expect(isPublished(file.href.slice(root.href.length)), `${path} is published`).toBe(true);
      if (anchor) expect(anchorsOf(readFileSync(file, "utf8"))).toContain(anchor);
    }
  });
});

it.each(pagesWithTables)("%s shows the figures of the newest complete run of the benchmarks", (page) => {
  expect(withTables(page, newestResult())).toBe(read(page));
});

describe("the README", () => {
  const readme = read("README.md");

  it("has at most 200 lines", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(200);
  });

  it("links to every page in docs/", () => {
    const links = Array.from(readme.matchAll(/\]\((docs\/[^)#]*)/g), ([, path]) => path);
    expect(links).toEqual(expect.arrayContaining(pages.slice(1)));
  });

  it("gives a page's script the address of this version's main entry", () => {
    const code = codeBlocks(readme).find(({ language }) => language === "html")?.code;
    const main = exports["."].default.replace("./", "");
    expect(code).toContain(`https://cdn.jsdelivr.net/npm/rmsprop-wasm@${version}/${main}"`);
  });
});
