import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import type { Result } from "./result.ts";

export function describeMachine(): Result["machine"] {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() || process.arch,
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

/** The package's own version, and its commit where there is one. */
export function describePackage(): Record<string, string> {
  const manifest = new URL("../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const commit = git("rev-parse", "--short", "HEAD");
  if (!commit) return { "rmsprop-wasm": version };
  return { "rmsprop-wasm": version, commit: git("status", "--porcelain") ? `${commit} and changes` : commit };
}

function git(...args: string[]): string {
  try {
    const cwd = new URL(".", import.meta.url);
    return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
