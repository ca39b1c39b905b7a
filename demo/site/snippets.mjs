/** Text of the page that stands elsewhere already: the README's first program, and a few figures. */
import { readFileSync } from "node:fs";
import { STAY } from "../race/race.ts";
import { SHAPES } from "../train/trainer.ts";

const read = (/** @type {string} */ name) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

/** The first block in that language below a heading of the README. @param {string} heading @param {string} language */
function blockOf(heading, language) {
  const text = `\n${read("README.md")}`;
  const from = text.slice(text.indexOf(`\n${heading}\n`));
  const block = from.match(new RegExp(`\\n\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\``));
  if (!block) throw new Error(`The README has no ${language} block below "${heading}".`);
  return /** @type {string} */ (block[1]);
}

/** @param {{ train: number, test: number }} digits */
export function snippets(digits) {
  const { version, exports } = JSON.parse(read("package.json"));
  const code = blockOf("## First program", "ts");
  const address = `https://cdn.jsdelivr.net/npm/rmsprop-wasm@${version}/${exports["."].default.replace("./", "")}`;
  const inPage = code.replace('"rmsprop-wasm"', `"${address}"`);
  const weights = Object.values(SHAPES).reduce(
    (sum, shape) => sum + shape.reduce((product, size) => product * size),
    0,
  );
  return {
    VERSION: version,
    INSTALL: blockOf("## Install", "sh"),
    CODE: code,
    SCRIPT: `<script type="module">\n${inPage.replace(/^(?=.)/gm, "  ")}\n</script>`,
    STAY: String(STAY),
    TRAIN_IMAGES: digits.train.toLocaleString("en"),
    TEST_IMAGES: digits.test.toLocaleString("en"),
    WEIGHTS: weights.toLocaleString("en"),
  };
}
