/** Leaves the comments out of bundles: esbuild keeps those inside of classes and objects, unless it minifies. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import ts from "typescript";

/**
 * Bundles sources whose comments are blanks, so that all else stays in its line and column, as source maps tell it.
 * `@__PURE__` and its like stay: bundlers read them.
 *
 * @type {import("esbuild").Plugin}
 */
export const commentsOut = {
  name: "comments-out",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => ({
      contents: blanked(readFileSync(path, "utf8")),
      loader: "ts",
    }));
  },
};

/** @param {string} text */
function blanked(text) {
  let contents = text;
  /** @param {ts.Node} node */
  const visit = (node) => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.pos) ?? []) {
      const comment = text.slice(pos, end);
      if (comment.includes("@__PURE__")) continue;
      contents = contents.slice(0, pos) + comment.replace(/[^\n]/g, " ") + contents.slice(end);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("source.ts", text, ts.ScriptTarget.ES2022));
  return contents;
}

/**
 * A source map whose sources have their comments again.
 *
 * @param {string} json
 * @param {string} path of the map
 */
export function withComments(json, path) {
  const map = JSON.parse(json);
  map.sourcesContent = map.sources.map((/** @type {string} */ source, /** @type {number} */ i) =>
    source.startsWith("../src/")
      ? readFileSync(resolve(dirname(path), source), "utf8")
      : map.sourcesContent[i],
  );
  return JSON.stringify(map);
}
