import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const source = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));

export default defineConfig({
  // Tests import the package by its name, as users do, and get the sources.
  resolve: {
    alias: [
      { find: /^rmsprop-wasm$/, replacement: source("index") },
      { find: /^rmsprop-wasm\/(core|js)$/, replacement: source("$1") },
    ],
  },
  test: {
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "sources",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, "test/packed/**"],
        },
      },
      // These alone need the package packed and installed first.
      {
        extends: true,
        test: { name: "packed", include: ["test/packed/*.test.ts"], globalSetup: "test/packed/setup.ts" },
      },
    ],
  },
});
