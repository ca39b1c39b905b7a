/** The kernels as a program gets them from their text: compiled once for each kind of memory, also in engines without `Buffer`. */
import { afterEach, expect, it, vi } from "vitest";
import { stubWebAssembly } from "../support/forbidden.ts";

afterEach(() => vi.unstubAllGlobals());

const { Module } = WebAssembly;

/** Takes steps in a program that has compiled nothing yet, in memories of both kinds, and gives how often it compiled. */
async function inNewProgram(entry: "index" | "f64", lacking: readonly string[]) {
  let compiled = 0;
  vi.resetModules();
  stubWebAssembly({
    Module: class extends Module {
      constructor(binary: BufferSource) {
        super(binary);
        compiled++;
      }
    },
  });
  for (const name of lacking) vi.stubGlobal(name, undefined);
  const single = entry === "index" && (await import("rmsprop-wasm"));
  // The types of float32, so that the body is written once.
  const { RMSprop } =
    single || ((await import("rmsprop-wasm/f64")) as unknown as typeof import("rmsprop-wasm"));
  const run = (backend: "wasm" | "js", shared: boolean) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 9, shared });
    const optimizer = new RMSprop({ w: [5, 3] }, { backend, memory, momentum: 0.9, globalClipNorm: 1 });
    for (const options of [{}, { rows: { w: [1, 4] } }]) {
      optimizer.grads.w.forEach((_, i, grad) => {
        grad[i] = Math.sin(i + 1);
      });
      optimizer.step(options);
    }
    return [...optimizer.params.w];
  };
  const kinds = [false, true, false, true];
  const results = kinds.map((shared) => run("wasm", shared));
  const expected = run("js", false);
  vi.unstubAllGlobals();
  expect(results).toEqual(kinds.map(() => expected));
  return compiled;
}

it.each([
  ["index", []],
  ["index", ["Buffer"]],
  ["f64", []],
  ["f64", ["Buffer"]],
] as const)("%s compiles for a memory and for a shared one, without %j", async (entry, lacking) => {
  expect(await inNewProgram(entry, lacking)).toBe(2);
});
