/** The built page as files: what it weighs, that it asks nobody else for anything, and that it says what the README says. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { buildDemo } from "../../demo/site/build.mjs";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "demo-"));
const read = (name: string) => readFileSync(join(folder, name));

beforeAll(() => buildDemo({ folder, tsconfig: "tsconfig.json" }));

describe("the built page", () => {
  it("weighs at most 134 kB gzipped, without the digits and tf.js, of 400 that it may", () => {
    const names = readdirSync(folder).filter(
      (name) => !/^(digits\.bin|tfjs(-\w+)?(\.js)?|licenses\.txt)$/.test(name),
    );
    const bytes = names.map((name) => gzipSync(read(name), { level: 9 }).byteLength);
    expect(names).toContain("main.js");
    expect(bytes.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(134_000);
    expect(read("digits.bin").byteLength).toBeLessThanOrEqual(600_000);
  });

  // A test of the documentation follows those that lead there.
  it("refers to its own files alone, all of which are there", () => {
    const html = read("index.html").toString();
    const addresses = [...html.matchAll(/(?:src|href)="(?!docs\/)([^"#]+)"/g)].map(([, address]) => address!);
    expect(addresses).toEqual(expect.arrayContaining(["main.js", "style.css"]));
    for (const address of addresses) expect(readdirSync(folder)).toContain(address);
    const css = read("style.css").toString();
    for (const [, address] of css.matchAll(/url\("?([^")]+)"?\)/g)) {
      expect(readdirSync(folder)).toContain(address!.replace("./", ""));
    }
    expect(html).toContain("default-src 'none'");
  });

  it("shows the README's first program, for npm and for a page", () => {
    const program = readme.match(/## First program\n[\s\S]*?\n```ts\n([\s\S]*?)\n```/)![1]!;
    const unescaped = read("index.html").toString().replaceAll("&lt;", "<").replaceAll("&amp;", "&");
    expect(unescaped).toContain(`<code id="use-npm">${program}</code>`);
    const inPage = program.replace(
      '"rmsprop-wasm"',
      /"https:[^"]*rmsprop-wasm@[^"]*\/dist\/index\.js"/.exec(unescaped)![0],
    );
    expect(unescaped).toContain(
      `<script type="module">\n  ${inPage.replaceAll("\n", "\n  ").replaceAll("\n  \n", "\n\n")}\n</script></code>`,
    );
  });

  it("leaves no place of the template empty, and names whose work it holds", () => {
    expect(read("index.html").toString()).not.toMatch(/%[A-Z_]+%/);
    const licenses = read("licenses.txt").toString();
    for (const name of ["uplot", "d3-contour", "@fontsource-variable/figtree", "assemblyscript"]) {
      expect(licenses).toContain(name);
    }
  });
});
