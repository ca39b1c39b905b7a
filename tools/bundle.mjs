/** Options for bundling the package: shared by the build, by the page, and by the tests that weigh it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Reduces the loader to what `instantiateSync` does for the kernels. The loader polyfills `Object.hasOwn` when it is imported: work that
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
        // Checks the tag, since a module that an edge runtime has imported is one of another realm.
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

/** @satisfies {import("esbuild").BuildOptions} */
export const BUNDLE = {
  absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
  bundle: true,
  format: /** @type {const} */ ("esm"),
  target: "es2022",
  // The program's own: a second copy would know nothing of its backends.
  external: ["@tensorflow/tfjs-core"],
  plugins: [leanLoader],
};
