/**
 * Builds the page of demo/ into demo/dist, a folder of plain files for any host.
 * `npm run demo` builds and serves it, with the headers that let it share memory.
 */
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { loadMnist } from "../../examples/mnist/data.ts";
import { BUNDLE } from "../../tools/bundle.mjs";
import { heartbeat } from "../../tools/heartbeat.mjs";
import { peerModules } from "../../tools/tfjs.mjs";
import { packDigits } from "../train/pack.ts";
import { licensesOf } from "./licenses.mjs";
import { snippets } from "./snippets.mjs";

const path = (/** @type {string} */ name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const DIGITS = { train: 5000, test: 1000 };
const backend = new URL("@tensorflow/tfjs-backend-wasm/dist/", peerModules);
export const hasTfjs = existsSync(backend);

/**
 * The bench's ways take the built package by its address on disk; a page takes it by name.
 *
 * @type {import("esbuild").Plugin}
 */
const packageByName = {
  name: "package-by-name",
  setup(build) {
    build.onResolve({ filter: /\/built\.ts$/ }, ({ resolveDir }) =>
      build.resolve("rmsprop-wasm", { kind: "import-statement", resolveDir }),
    );
  },
};

const PAGE = /** @type {const} */ ({
  absWorkingDir: path("."),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
});

/**
 * @param {object} options
 * @param {string} options.folder Emptied first.
 * @param {string} [options.tsconfig] Says what `rmsprop-wasm` is: the built package, or the sources.
 * @param {(what: string) => void} [options.say] Hears what is being built.
 */
export async function buildDemo({ folder, tsconfig = "scripts/tsconfig.run.json", say = () => {} }) {
  say("the page");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const page = await build({
    ...PAGE,
    outdir: folder,
    entryPoints: {
      main: "demo/main.ts",
      "train-worker": "demo/train/worker.ts",
      "measure-worker": "demo/measure/worker.ts",
      style: "demo/style/index.css",
    },
    // Chunks stand beside the entries, so that every file finds the workers beside itself.
    splitting: true,
    chunkNames: "[name]-[hash]",
    // The font keeps its name, by which the page asks for it early.
    assetNames: "[name]",
    loader: { ".woff2": "file" },
    define: { HAS_TFJS: String(hasTfjs) },
    tsconfig,
    plugins: [packageByName, ...BUNDLE.plugins],
  });
  const inputs = [page, ...(hasTfjs ? [await buildTfjs(folder, tsconfig, say)] : [])].flatMap(
    ({ metafile }) => Object.keys(metafile.inputs),
  );

  say("the digits that it trains on");
  // The name has no .gz: some hosts would unpack such a file on the way, and others not.
  writeFileSync(`${folder}/digits.bin`, gzipSync(packDigits(loadMnist(), DIGITS), { level: 9 }));
  writeFileSync(
    `${folder}/index.html`,
    filled(readFileSync(path("demo/index.html"), "utf8"), snippets(DIGITS)),
  );
  copyFileSync(path("demo/icon.svg"), `${folder}/icon.svg`);
  writeFileSync(`${folder}/licenses.txt`, licensesOf(inputs));
}

/**
 * Makes one file of tf.js, with the binaries beside it: the page loads it when it's asked to.
 *
 * @param {string} folder
 * @param {string} tsconfig
 * @param {(what: string) => void} say
 */
async function buildTfjs(folder, tsconfig, say) {
  say("tf.js beside it");
  mkdirSync(`${folder}/tfjs`);
  // The binary for threads is left out: the page doesn't let it use them.
  for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"]) {
    copyFileSync(new URL(name, backend), `${folder}/tfjs/${name}`);
  }
  return build({
    ...PAGE,
    outdir: folder,
    entryPoints: { tfjs: "demo/measure/library.ts" },
    // The drop-in loads its programs for graphics cards from a chunk.
    splitting: true,
    chunkNames: "tfjs-[hash]",
    nodePaths: [fileURLToPath(peerModules)],
    tsconfig,
    plugins: [...BUNDLE.plugins],
  });
}

/**
 * Puts the pages of docs/ and the API beside the page, which links to them: what `npm run docs` builds elsewhere.
 *
 * @param {string} folder
 * @param {(what: string) => void} say
 */
async function buildDocs(folder, say) {
  say("the documentation");
  // Unchecked, since types of tf.js, which may not be installed, change nothing that the pages show.
  const options = ["--out", `${folder}/docs`, "--skipErrorChecking", "--logLevel", "Error"];
  await promisify(execFile)(process.execPath, [path("node_modules/typedoc/bin/typedoc"), ...options], {
    cwd: path("."),
  });
}

/**
 * @param {string} template With the names of values between percent signs.
 * @param {Record<string, string>} values
 */
function filled(template, values) {
  return template.replace(/%([A-Z_]+)%/g, (_, name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`demo/index.html asks for ${name}, which nobody gives.`);
    return value.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path("demo/dist");
  const { say } = heartbeat("demo: ");
  await buildDemo({ folder, say });
  await buildDocs(folder, say);
  console.log(`Built ${folder}`);
  if (!hasTfjs) console.log("Without tf.js, which isn't installed: npm ci --prefix bench/peers");
  if (process.argv.includes("--serve")) {
    const { serveDemo } = await import("./serve.mjs");
    const { address } = await serveDemo(folder, { port: Number(process.env.PORT ?? 8080) });
    console.log(`Open ${address} (Ctrl+C ends it)`);
  }
}
