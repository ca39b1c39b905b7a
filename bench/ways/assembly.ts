import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Way } from "../way.ts";
import { basis, type Work } from "../work.ts";
import { planesOf, runnerOn, sharedOptimizer } from "./ours.ts";

const supports = (work: Work) => work.tensors === 1 && work.variant === "plain";

export const scalar: Way = {
  name: "scalar",
  title: "scalar WebAssembly",
  formula: "pytorch",
  supports,
  prepare: (work) => prepareModule(work, "scalar"),
};

/** Streams of memory without an RMSprop to check. They move by vectors, so the count must be a multiple of four. */
export const streams: Way = {
  name: "streams",
  title: "the same streams, only added",
  supports: (work) => supports(work) && work.size % 4 === 0,
  prepare: (work) => prepareModule(work, "streams"),
};

/** Roots and divisions of float64 without memory, and without an RMSprop to check: four in a turn. */
export const divider: Way = {
  name: "divider",
  title: "its roots and divisions alone",
  movedBytes: 0,
  supports: (work) => supports(work) && work.elements === "float64" && work.size % 4 === 0,
  prepare: (work) => prepareModule(work, "divider"),
};

/** Runs a module on the planes of the package's optimizer, so that nothing but the code differs. */
function prepareModule(work: Work, name: string) {
  const optimizer = sharedOptimizer(work);
  const { exports } = new WebAssembly.Instance(compile(name), { env: { memory: optimizer.memory } });
  const update = exports.update as (...args: number[]) => void;
  const { param, grad, squareAvg } = planesOf(optimizer);
  const { lr, alpha, eps } = basis;
  return runnerOn(optimizer, work, () =>
    update(param, grad, squareAvg, work.size, lr, alpha, 1 - alpha, eps),
  );
}

const modules = new Map<string, WebAssembly.Module>();

/**
 * Compiles `../assembly/<name>.ts` as the package's own source is compiled. In another process: the engine goes on
 * optimizing the compiler, WebAssembly itself, for seconds after its work, and the package's kernels would wait behind it.
 */
export function compile(name: string, forThreads = false): WebAssembly.Module {
  const key = forThreads ? `${name} for threads` : name;
  const compiled = modules.get(key);
  if (compiled) return compiled;
  const asc = fileURLToPath(import.meta.resolve("assemblyscript/bin/asc.js"));
  const threads = forThreads ? ["--enable", "threads", "--sharedMemory", "--maximumMemory", "65536"] : [];
  const options = [
    "--runtime",
    "stub",
    "--importMemory",
    "--enable",
    "simd",
    "-O3",
    "--noAssert",
    ...threads,
  ];
  const binary = execFileSync(process.execPath, [asc, `${name}.ts`, ...options, "--outFile"], {
    cwd: new URL("../assembly/", import.meta.url),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const module = new WebAssembly.Module(new Uint8Array(binary));
  modules.set(key, module);
  return module;
}
