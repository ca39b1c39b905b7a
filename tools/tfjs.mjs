/** tf.js, which the package doesn't install: types are checked against it, and benchmarks and an example run on it. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
const rivals = new URL("bench/peers/", root);

/** For `createRequire`: from here tf.js is found. */
export const manifest = fileURLToPath(new URL("package.json", rivals));

export const packagesOfRivals = new URL("node_modules/", rivals);

/** Where the built package finds tf.js, once `placeBesideTfjs` has put it there. */
export const placeOfPackage = new URL("rmsprop-wasm/", packagesOfRivals);

/**
 * Where tf.js isn't installed yet, installs it.
 *
 * @param {(line: string) => void} say
 */
export function installRivals(say) {
  if (existsSync(new URL("@tensorflow/tfjs-layers", packagesOfRivals))) return;
  say("Installing tf.js into bench/peers (120 MB, once) …");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: rivals,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
}

/** Puts the built package beside tf.js, as npm does for its users: there it finds the tf.js that it stands on. */
export function placeBesideTfjs() {
  rmSync(placeOfPackage, { recursive: true, force: true });
  cpSync(new URL("dist", root), new URL("dist", placeOfPackage), { recursive: true });
  cpSync(new URL("package.json", root), new URL("package.json", placeOfPackage));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installRivals(console.log);
