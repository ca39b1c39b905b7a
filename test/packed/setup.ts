/** Packs the package once, as it would be published, and installs it for the tests in this folder. */
import { execSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { packInto } from "../../tools/pack.ts";
import { peerModules } from "../../tools/tfjs.mjs";
import { tfjs } from "../tfjs/installed.ts";

export interface Packed {
  /** The folder that it was packed from: a copy of the repository, built. */
  origin: string;
  /** The path of the .tgz. */
  tarball: string;
  /** A project of ES modules that has installed it, and nothing else but tf.js, if that is at hand. */
  consumer: string;
  /** The folder that it is installed in. */
  installed: string;
  /** Its entries, as "./core", and the files that they are. */
  entries: { entry: string; types: string; default: string }[];
}

declare module "vitest" {
  interface ProvidedContext {
    packed: Packed;
  }
}

interface Manifest {
  /** Targets by entry: an object for types and code, a name for any other file. */
  exports: Record<string, string | { types: string; default: string }>;
}

export default function setup({ provide }: TestProject): () => void {
  const directory = mkdtempSync(join(tmpdir(), "rmsprop-wasm-"));
  const { origin, tarball } = packInto(directory);

  const consumer = join(directory, "consumer");
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), '{ "type": "module" }');
  const install = `npm install --offline --no-audit --no-fund ${JSON.stringify(tarball)}`;
  execSync(install, { cwd: consumer, stdio: "pipe" });
  const modules = join(consumer, "node_modules");
  const installed = join(modules, "rmsprop-wasm");
  // The peer of one entry.
  const tensorflow = fileURLToPath(new URL("@tensorflow", peerModules));
  if (tfjs.isThere) symlinkSync(tensorflow, join(modules, "@tensorflow"), "junction");
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Manifest;
  const entries = Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === "string" ? [] : [{ entry, ...target }],
  );
  provide("packed", { origin, tarball, consumer, installed, entries });
  return () => rmSync(directory, { recursive: true, force: true });
}
