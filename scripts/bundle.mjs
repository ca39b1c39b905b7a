/** How the entries are bundled: shared by the build and by the tests of what it weighs. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./build-wasm.mjs";

/**
 * What `instantiateSync` does here, and no more. The loader polyfills `Object.hasOwn` when it is imported: work that
 * tree-shaking can't drop, and an error where the globals are frozen. It adds imports for messages and random numbers, and
 * wraps the exports for classes, strings and arrays of AssemblyScript, none of which the kernels have: a sixth of the main
 * entry's weight.
 *
 * @type {import("esbuild").Plugin}
 */
const leanLoader = {
  name: "lean-loader",
  setup({ onLoad }) {
    onLoad({ filter: /@assemblyscript[\\/]loader[\\/]index\.js$/ }, ({ path }) => {
      const cuts = [
        [/^Object\.hasOwn = [\s\S]*?^\};$/m, ""],
        [/(?<== )new TextDecoder\(/, "/* @__PURE__ */ new TextDecoder("],
        // By its tag, since what an edge runtime imports for us is a module of its own realm.
        [
          /src instanceof WebAssembly\.Module/,
          'Object.prototype.toString.call(src) === "[object WebAssembly.Module]"',
        ],
        [/^function preInstantiate\([\s\S]*?^\}$/m, "function preInstantiate() {}"],
        [
          /^function postInstantiate\([\s\S]*?^\}$/m,
          "function postInstantiate(_, { exports }) { return exports; }",
        ],
      ];
      let contents = readFileSync(path, "utf8");
      for (const [pattern, replacement] of /** @type {[RegExp, string][]} */ (cuts)) {
        if (!pattern.test(contents)) throw new Error(`The loader has changed: ${pattern} is nowhere in it.`);
        contents = contents.replace(pattern, replacement);
      }
      return { contents };
    });
  },
};

/**
 * Each entry is one file, since every further file takes Node half a millisecond of the few that it takes to import
 * us; but the errors stand by themselves, so that `instanceof` holds across entries, and the threads, which are loaded
 * when they are wanted. And checkpoints take their optimizers from the main entry.
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
    onResolve({ filter: /\/module\.ts$/ }, ({ path, resolveDir }) => ({
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
  "src/core.ts",
  "src/js.ts",
  "src/checkpoint.ts",
  "src/tfjs.ts",
  "src/errors.ts",
  "src/threads.ts",
];

/** Those of them that hold the kernels, or take them from one that does, and so exist for workerd too. */
export const WORKERD_ENTRIES = ["src/index.ts", "src/core.ts", "src/checkpoint.ts"];

/** @satisfies {import("esbuild").BuildOptions} */
export const BUNDLE = {
  absWorkingDir: fileURLToPath(root),
  bundle: true,
  format: /** @type {const} */ ("esm"),
  target: "es2022",
  // The program's own: a second copy would know nothing of its backends.
  external: ["@tensorflow/tfjs-core"],
  plugins: [leanLoader],
};
