/** Builds dist/: the bundled entries with source maps, their types, and the binaries by themselves. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import ts from "typescript";
import { BUNDLE } from "../tools/bundle.mjs";
import { heartbeat } from "../tools/heartbeat.mjs";
import { buildWasm, root } from "./build-wasm.mjs";
import { buildWorker } from "./build-worker.mjs";
import { commentsOut, withComments } from "./comments.mjs";
import { BINARIES, ENTRIES, filesApart, staticBinary, WORKERD_ENTRIES } from "./entries.mjs";

const dist = fileURLToPath(new URL("dist", root));

/**
 * Bundles entries as people can read them. Runtimes print the line that an uncaught error comes from. A minified file is
 * one such line, of up to 57 kB, which scrolls the message away; and the bundlers of pages minify the package anyway.
 *
 * @param {import("esbuild").BuildOptions} entries
 * @param {import("esbuild").Plugin[]} plugins
 */
async function bundle(entries, plugins = []) {
  const { outputFiles } = await build({
    ...BUNDLE,
    ...entries,
    plugins: [...plugins, ...BUNDLE.plugins, filesApart, commentsOut],
    outdir: dist,
    // Breaks the binary's text too, by line continuations, so that nothing is left to join at run time.
    lineLimit: 120,
    sourcemap: true,
    write: false,
  });
  for (const { path, text } of outputFiles) {
    writeFileSync(path, path.endsWith(".map") ? withComments(text, path) : text);
  }
}

const { say } = heartbeat("build: ");

await buildWasm(say);
say("the code");
await buildWorker();
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await bundle({ entryPoints: ENTRIES });
await bundle({ entryPoints: WORKERD_ENTRIES, outExtension: { ".js": ".workerd.js" } }, [staticBinary]);
for (const [built, published] of BINARIES) {
  copyFileSync(new URL(`build/${built}.wasm`, root), `${dist}/${published}.wasm`);
}
writeFileSync(
  `${dist}/third-party-licenses.txt`,
  [
    "The bundles contain leven, and the loader and compiled code of AssemblyScript.",
    ...["leven/license", "assemblyscript/NOTICE", "assemblyscript/LICENSE"].map((name) =>
      readFileSync(new URL(`node_modules/${name}`, root), "utf8"),
    ),
  ].join("\n\n---\n\n"),
);

say("the types");
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "scripts/tsconfig.types.json"], {
  cwd: root,
  stdio: "inherit",
});
/** @param {string} folder */
const declarationsIn = (folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".d.ts"))
    .map((name) => join(folder, name));

// The compiler leaves the endings of sources in declarations, where no user's compiler could resolve them.
for (const path of declarationsIn(dist)) {
  const declarations = readFileSync(path, "utf8");
  writeFileSync(path, declarations.replace(/((?:from |import\()"\.\.?\/[^"]*)\.ts"/g, '$1.js"'));
}
// It also declares the modules inside. Declarations that no entry's declarations lead to aren't published.
const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
say("the types that entries lead to");
const entries = Object.values(exports).flatMap(({ types }) => types ?? []);
const needed = ts
  .createProgram(
    entries.map((name) => fileURLToPath(new URL(name, root))),
    { module: ts.ModuleKind.NodeNext },
  )
  .getSourceFiles()
  .map(({ fileName }) => normalize(fileName));
for (const path of declarationsIn(dist)) {
  if (!needed.includes(path)) rmSync(path);
}
for (const entry of readdirSync(dist, { withFileTypes: true })) {
  const folder = join(dist, entry.name);
  if (entry.isDirectory() && declarationsIn(folder).length === 0) rmSync(folder, { recursive: true });
}
