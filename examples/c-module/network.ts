/** Builds network.c with clang, and instantiates it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Network, NetworkExports } from "../quadrants.ts";

/** The compiler's command; another one by the environment variable CLANG, as clang-18. */
const clang = process.env.CLANG || "clang";

export const HOW_TO_INSTALL = `This needs clang with its linker wasm-ld, and "${clang}" is not there or has none.
  Debian, Ubuntu   apt-get install clang lld
  Fedora           dnf install clang lld
  macOS            brew install llvm lld, then CLANG="$(brew --prefix llvm)/bin/clang" and lld's bin/ in PATH
  Windows          winget install LLVM.LLVM`;

/** Whether clang is there, knows WebAssembly and has a linker for it. */
export function hasClang(): boolean {
  try {
    const run = (...args: string[]) => execFileSync(clang, args, { encoding: "utf8", stdio: "pipe" });
    // If no linker stands beside clang, it prints the bare name, which is then looked for in the path.
    execFileSync(run("--print-prog-name=wasm-ld").trim(), ["--version"], { stdio: "pipe" });
    return run("--print-targets").includes("wasm32");
  } catch {
    return false;
  }
}

const binaries: { float?: Uint8Array<ArrayBuffer>; double?: Uint8Array<ArrayBuffer> } = {};

/** The network over C's type `real`. `attach` is for float; for double, the optimizer is that of `rmsprop-wasm/f64`. */
export async function loadNetwork({ real = "float" as keyof typeof binaries } = {}): Promise<Network> {
  binaries[real] ??= compile(real);
  const { instance } = await WebAssembly.instantiate(binaries[real]);
  const exports = instance.exports as unknown as NetworkExports & { malloc(byteLength: number): number };
  return { exports, allocate: exports.malloc };
}

function compile(real: string): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "network-"));
  try {
    const source = fileURLToPath(new URL("network.c", import.meta.url));
    const target = join(folder, "network.wasm");
    // No C library and no main. What the source marks as visible is exported, and nothing else.
    const options = ["-nostdlib", "-ffreestanding", "-fvisibility=hidden", "-Wl,--no-entry,--export-dynamic"];
    const strict = ["-O2", "-Wall", "-Wextra", `-Dreal=${real}`];
    execFileSync(clang, ["--target=wasm32", ...strict, ...options, source, "-o", target]);
    return new Uint8Array(readFileSync(target));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
