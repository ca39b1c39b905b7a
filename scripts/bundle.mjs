/** How the entries are bundled: shared by the build and by the tests of what it weighs. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { root } from "./build-wasm.mjs";

/**
 * The loader polyfills `Object.hasOwn` and makes a decoder when it is imported: work that tree-shaking can't drop,
 * and an error where the globals are frozen. Every engine with SIMD has `Object.hasOwn`.
 *
 * @type {import("esbuild").Plugin}
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

/**
 * Each entry is one file, since every further file takes Node half a millisecond of the few that it takes to import
 * us; but the errors stand by themselves, so that `instanceof` holds across entries.
 *
 * @type {import("esbuild").Plugin}
 */
export const sharedErrors = {
  name: "shared-errors",
  setup({ onResolve }) {
    onResolve({ filter: /\/errors\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./errors.js", external: true, sideEffects: false },
    );
  },
};

export const ENTRIES = ["src/index.ts", "src/core.ts", "src/js.ts", "src/errors.ts"];

/** @satisfies {import("esbuild").BuildOptions} */
export const BUNDLE = {
  absWorkingDir: fileURLToPath(root),
  bundle: true,
  format: /** @type {const} */ ("esm"),
  target: "es2022",
  plugins: [loaderWithoutSideEffects],
};
