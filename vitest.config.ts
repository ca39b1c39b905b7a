import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { openScratch } from "./tools/scratch.ts";

openScratch();

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const source = (name: string) => path(`src/${name}.ts`);

/** Tests beside browsers, other runtimes, PyTorch and Keras, and every combination of options by rows: most of the time. */
const HEAVY = [
  "test/demo/page*.test.ts",
  "test/interop/*.test.ts",
  "test/tfjs/{chromium,graphics}.test.ts",
  "test/threads/{dying,everywhere,rows,threads}.test.ts",
  "test/kernel/{rows,update}.test.ts",
];

export default defineConfig({
  // Tests import the package by its name, as users do, and get the sources.
  resolve: {
    alias: [
      { find: /^rmsprop-wasm$/, replacement: source("index") },
      { find: /^rmsprop-wasm\/(checkpoint|core|f64|js|tfjs)$/, replacement: source("$1") },
      // The drop-in's peer, the same module as `require` gives the tests.
      {
        find: /^@tensorflow\/tfjs-core$/,
        replacement: path("bench/peers/node_modules/@tensorflow/tfjs-core/dist/tf-core.node.js"),
      },
    ],
  },
  test: {
    // Ends what hangs, and judges no speed: on a machine that is shared by ten, seconds become minutes.
    testTimeout: 300_000,
    // Vitest's default leaves a core idle, which is half of two.
    maxWorkers: "100%",
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: {
          name: "sources",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, "test/packed/**", ...HEAVY],
        },
      },
      { extends: true, test: { name: "heavy", include: HEAVY } },
      // These alone need the package packed and installed first.
      {
        extends: true,
        test: { name: "packed", include: ["test/packed/*.test.ts"], globalSetup: "test/packed/setup.ts" },
      },
    ],
  },
});
