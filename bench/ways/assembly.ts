import { readFileSync } from "node:fs";
import type { Way } from "../way.ts";
import { hyperparametersOf, type Work } from "../work.ts";
import { planesOf, runnerOn, sharedOptimizer } from "./ours.ts";

const supports = (work: Work) => work.tensors === 1 && work.variant === "plain";

export const scalar: Way = {
  name: "scalar",
  title: "scalar WebAssembly",
  formula: "pytorch",
  supports,
  prepare: (work) => prepareModule(work, "scalar"),
};

/** No RMSprop, so there's nothing to check. It works by vectors, so the count must be a multiple of four. */
export const streams: Way = {
  name: "streams",
  title: "the same streams, only added",
  supports: (work) => supports(work) && work.size % 4 === 0,
  prepare: (work) => prepareModule(work, "streams"),
};

/** On the planes of our own optimizer, so that nothing but the code differs. */
async function prepareModule(work: Work, name: string) {
  const optimizer = sharedOptimizer(work);
  const { exports } = new WebAssembly.Instance(await compile(name), { env: { memory: optimizer.memory } });
  const update = exports.update as (...args: number[]) => void;
  const { param, grad, squareAvg } = planesOf(optimizer);
  const { lr, alpha, eps } = hyperparametersOf(work);
  return runnerOn(optimizer, work, () =>
    update(param, grad, squareAvg, work.size, lr, alpha, 1 - alpha, eps),
  );
}

const modules = new Map<string, WebAssembly.Module>();

/** Compiles `../assembly/<name>.ts` as the package's own source is compiled. */
async function compile(name: string): Promise<WebAssembly.Module> {
  const compiled = modules.get(name);
  if (compiled) return compiled;
  // Not at the top: a process that runs another way should not carry a compiler.
  const { default: asc } = await import("assemblyscript/asc");
  const source = readFileSync(new URL(`../assembly/${name}.ts`, import.meta.url), "utf8");
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const options = ["--runtime", "stub", "--importMemory", "--enable", "simd", "-O3", "--noAssert"];
  const { error, stderr } = await asc.main([`${name}.ts`, "--outFile", `${name}.wasm`, ...options], {
    readFile: (path) => (path === `${name}.ts` ? source : null),
    writeFile(_path, contents) {
      binary = new Uint8Array(contents as Uint8Array);
    },
    listFiles: () => null,
  });
  if (error || !binary)
    throw new Error(`asc can't compile bench/assembly/${name}.ts:\n${stderr}`, { cause: error });
  const module = new WebAssembly.Module(binary);
  modules.set(name, module);
  return module;
}
