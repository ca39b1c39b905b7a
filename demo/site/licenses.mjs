/** The licences of all packages whose code is in the page's files. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Packages inside the library's own files, which are bundled already. */
const BUNDLED_BEFORE = ["node_modules/leven", "node_modules/assemblyscript"];

/** @param {string[]} inputs Files that were bundled, from the repository's root. */
export function licensesOf(inputs) {
  // Inputs that esbuild calls disabled are left out of bundles for browsers.
  const bundled = inputs.filter((input) => !input.startsWith("(disabled)"));
  const folders = bundled.flatMap((input) => input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/) ?? []);
  return [...new Set([...folders, ...BUNDLED_BEFORE])].sort().map(licenseOf).join("\n---\n\n");
}

/** @param {string} folder */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8"));
  const file = readdirSync(`${root}${folder}`).find((file) => /^licen[sc]e/i.test(file));
  const text = file ? readFileSync(`${root}${folder}/${file}`, "utf8").trim() : "";
  return `${name} ${version}: ${license}\n\n${text}\n`;
}
