import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));

export default defineConfig({
  // Tests import the package by its name, as users do, and get the sources.
  resolve: {
    alias: [
      { find: /^rmsprop-wasm$/, replacement: source("index") },
      { find: /^rmsprop-wasm\/(checkpoint|core|js)$/, replacement: source("$1") },
    ],
  },
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000 },
});
