/** The files of `dist/`: the entries, the modules that they load from files of their own, and the twins for workerd. */
import { basename, join } from "node:path";

/**
 * Keeps some modules out of the entries' bundles. Each entry is one file, since every further file takes Node half a
 * millisecond of the few that importing the package takes. Four stand by themselves: the errors, so that `instanceof`
 * holds across entries; the threads and the drop-in's part for graphics cards, which are loaded when a program wants them;
 * and the main entry, from which checkpoints take their optimizers.
 *
 * @type {import("esbuild").Plugin}
 */
export const filesApart = {
  name: "files-apart",
  setup({ onResolve }) {
    onResolve({ filter: /\/(errors|index|threads)\.ts$/ }, ({ kind, path }) =>
      kind === "entry-point"
        ? undefined
        : { path: `./${basename(path, ".ts")}.js`, external: true, sideEffects: false },
    );
    onResolve({ filter: /\/cards\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./tfjs-cards.js", external: true, sideEffects: false } : undefined,
    );
  },
};

/**
 * The kernels by a static import of `core.wasm`, for runtimes that compile no bytes.
 *
 * @type {import("esbuild").Plugin}
 */
export const staticBinary = {
  name: "static-binary",
  setup({ onResolve }) {
    onResolve({ filter: /\/module(-f64)?\.ts$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\.ts$/, ".workerd.ts")),
    }));
    onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /\/index\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./index.workerd.js", external: true, sideEffects: false },
    );
  },
};

export const ENTRIES = [
  "src/index.ts",
  "src/f64.ts",
  "src/core.ts",
  "src/js.ts",
  "src/checkpoint.ts",
  "src/tfjs.ts",
  "src/tfjs-cards.ts",
  "src/tfjs-global.ts",
  "src/errors.ts",
  "src/threads.ts",
];

/** The entries that hold the kernels, or take them from one that does, and so exist for workerd too. */
export const WORKERD_ENTRIES = ["src/index.ts", "src/f64.ts", "src/core.ts", "src/checkpoint.ts"];

/** The names of the binaries, as they are built and as they are published. */
export const BINARIES = [
  ["release", "core"],
  ["release-shared", "core-shared"],
  ["release-f64", "f64"],
  ["release-shared-f64", "f64-shared"],
];
