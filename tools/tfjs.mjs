/** tf.js, which `npm ci` doesn't install: types are checked against it; benchmarks, tests and an example run on it. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
const peers = new URL("bench/peers/", root);

/** The place from which `createRequire` finds tf.js. */
export const peersManifest = fileURLToPath(new URL("package.json", peers));

export const peerModules = new URL("node_modules/", peers);

/** The place where the built package finds tf.js, once `placeBesideTfjs` has put it there. */
export const placeOfPackage = new URL("rmsprop-wasm/", peerModules);

/**
 * Installs tf.js, unless it is installed already.
 *
 * @param {(line: string) => void} say
 */
export function installTfjs(say) {
  const { dependencies } = JSON.parse(readFileSync(peersManifest, "utf8"));
  if (Object.keys(dependencies).every((name) => existsSync(new URL(name, peerModules)))) return;
  say("Installing tf.js into bench/peers (140 MB, once) …");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: peers,
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

if (process.argv[1] === fileURLToPath(import.meta.url)) installTfjs(console.log);
