/** Packs the package once, as it would be published, and installs it for the tests in this folder. */
import { execSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

export interface Packed {
  /** What it was packed from: a copy of the repository, built. */
  origin: string;
  /** Of the .tgz. */
  tarball: string;
  /** A project of ES modules that has installed it, and nothing else. */
  consumer: string;
  /** Where it is installed. */
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
  /** By entry; those of types and code are objects, other files are named alone. */
  exports: Record<string, string | { types: string; default: string }>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const LEFT_OUT = ["node_modules", "dist", ".git"];

export default function setup({ provide }: TestProject): () => void {
  const directory = mkdtempSync(join(tmpdir(), "rmsprop-wasm-"));
  const run = (command: string, cwd: string) => execSync(command, { cwd, stdio: "pipe" }).toString();
  // In a copy: a build writes generated sources too, which other tests compare with what they should be.
  const origin = join(directory, "origin");
  cpSync(root, origin, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
  symlinkSync(join(root, "node_modules"), join(origin, "node_modules"), "junction");
  const packing = run("npm pack --pack-destination ..", origin);
  const tarball = join(directory, packing.trim().split("\n").at(-1)!);

  const consumer = join(directory, "consumer");
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), '{ "type": "module" }');
  run(`npm install --offline --no-audit --no-fund ${JSON.stringify(tarball)}`, consumer);
  const installed = join(consumer, "node_modules", "rmsprop-wasm");
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Manifest;
  const entries = Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === "string" ? [] : [{ entry, ...target }],
  );
  provide("packed", { origin, tarball, consumer, installed, entries });
  return () => rmSync(directory, { recursive: true, force: true });
}
