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

/** The package's version, and the commit that it was built of. */
export function describePackage(): Record<string, string> {
  const manifest = new URL("../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { "rmsprop-wasm": version, commit: git("rev-parse", "--short", "HEAD") || "unknown" };
}

/** The reason why a result of this tree can't be kept, or undefined: nobody could say later what was measured. */
export function whyNotToKeep(): string | undefined {
  if (!git("rev-parse", "HEAD"))
    return "this isn't a clone of the repository, so the result would name no commit";
  // Results themselves may lie there uncommitted: several runs can follow each other.
  const changes = git("status", "--porcelain", "--", ":/", ":(top,exclude)bench/results");
  if (!changes) return undefined;
  const [first, ...others] = changes.split("\n").map((line) => line.trim().split(" ").at(-1));
  const files = others.length > 0 ? `${first} and ${others.length} more files have` : `${first} has`;
  return `${files} changes that are in no commit, so the result couldn't say what it was measured on.`;
}

function git(...args: string[]): string {
  try {
    const cwd = new URL(".", import.meta.url);
    return execFileSync("git", args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trimEnd();
  } catch {
    return "";
  }
}
