/** Engines that lack globals, as Hermes and test environments do: `rmsprop-wasm/js` runs without each of them and all. */
import { afterEach, expect, it, vi } from "vitest";
import { exactly, train } from "../support/runs.ts";

/** All that the package asks for, where it is there. */
const GLOBALS = [
  "WebAssembly",
  "Atomics",
  "SharedArrayBuffer",
  "structuredClone",
  "TextDecoder",
  "TextEncoder",
  "FinalizationRegistry",
  "Worker",
  "Blob",
  "performance",
  "crossOriginIsolated",
  "process",
  "Buffer",
];
const { transfer } = ArrayBuffer.prototype as { transfer?: unknown };

afterEach(() => {
  vi.unstubAllGlobals();
  if (transfer)
    Object.defineProperty(ArrayBuffer.prototype, "transfer", { value: transfer, configurable: true });
});

/** A journey through the entry that needs no growth. */
async function journey() {
  vi.resetModules();
  const { RMSprop } = await import("rmsprop-wasm/js");
  const optimizer = new RMSprop(
    { w: [5, 3], b: Float32Array.of(1, -2) },
    { momentum: 0.9, centered: true, globalClipNorm: 1, ema: { decay: 0.9 }, threads: 2 },
  );
  await optimizer.ready;
  train(optimizer, 0, 3);
  const dict = optimizer.stateDict();
  optimizer.step({ shard: { index: 0, count: 2 }, gradNorm: 2 });
  optimizer.loadStateDict(dict);
  optimizer.swapEma();
  optimizer.swapEma();
  const report = optimizer.report();
  optimizer.groups[0].lr = 0.5;
  train(optimizer, 3, 5);
  optimizer.zeroGrad();
  const { backend, threads } = optimizer;
  expect([backend, threads]).toEqual(["js", 1]);
  return () => ({ report, state: exactly(optimizer.stateDict()) });
}

it.each([...GLOBALS.map((name) => [name]), GLOBALS])("without %s", async (...names) => {
  const expected = (await journey())();
  for (const name of names) vi.stubGlobal(name, undefined);
  const read = await journey();
  vi.unstubAllGlobals();
  expect(read()).toEqual(expected);
});

it("momentum that comes later empties views by whatever the engine has for that, or is refused", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  vi.resetModules();
  const { RMSprop, MemoryError } = await import("rmsprop-wasm/js");
  const turnOn = () => {
    const optimizer = new RMSprop({ w: [40_000] });
    const { w } = optimizer.params;
    w.fill(7);
    const assign = () => {
      optimizer.groups[0].momentum = 0.9;
    };
    return { optimizer, w, assign };
  };
  const expectGrowth = () => {
    const { optimizer, w, assign } = turnOn();
    assign();
    expect(w.length).toBe(0);
    expect(optimizer.params.w.every((value) => value === 7)).toBe(true);
    expect(optimizer.step()).toBe(true);
  };
  expectGrowth();
  Object.defineProperty(ArrayBuffer.prototype, "transfer", { value: undefined, configurable: true });
  expectGrowth();
  vi.stubGlobal("structuredClone", undefined);
  const { optimizer, w, assign } = turnOn();
  expect(assign).toThrow(MemoryError);
  expect(assign).toThrow(
    /neither ArrayBuffer.prototype.transfer nor structuredClone.*set momentum and centered/,
  );
  expect(w.length).toBe(40_000);
  expect(optimizer.groups[0].momentum).toBe(0);
  expect(optimizer.step()).toBe(true);
});
