/** Builds dist/: the bundled entries with source maps, their types, and the binary by itself. */
import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildWasm, root } from "./build-wasm.mjs";

const dist = fileURLToPath(new URL("dist", root));

/**
 * The loader polyfills `Object.hasOwn` and makes a decoder when it is imported: work that tree-shaking can't drop,
 * and an error where the globals are frozen. Every engine with SIMD has `Object.hasOwn`.
 */
const loaderWithoutSideEffects = {
  name: "loader-without-side-effects",
  setup({ onLoad }) {
    onLoad({ filter: /@assemblyscript[\\/]loader[\\/]index\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source
        .replace(/^Object\.hasOwn = [\s\S]*?^\};$/m, "")
        .replace("= new TextDecoder(", "= /* @__PURE__ */ new TextDecoder(");
      if (contents.length > source.length - 50)
        throw new Error("The loader has changed: look at its first lines.");
      return { contents };
    });
  },
};

await buildWasm();
rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: ["src/index.ts", "src/core.ts", "src/js.ts"],
  absWorkingDir: fileURLToPath(root),
  outdir: dist,
  bundle: true,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
  target: "es2022",
  sourcemap: true,
  plugins: [loaderWithoutSideEffects],
});
copyFileSync(new URL("build/release.wasm", root), `${dist}/core.wasm`);

execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "scripts/tsconfig.types.json"], {
  cwd: root,
  stdio: "inherit",
});
// The compiler leaves the sources' own endings in declarations, where nobody could resolve them.
for (const name of readdirSync(dist).filter((name) => name.endsWith(".d.ts"))) {
  const declarations = readFileSync(`${dist}/${name}`, "utf8");
  writeFileSync(`${dist}/${name}`, declarations.replace(/(from "\.\/[^"]*)\.ts"/g, '$1.js"'));
}
