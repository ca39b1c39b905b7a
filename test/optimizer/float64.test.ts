/** The entry over float64: the same optimizer, on both backends, with files and states that go between the entries. */
import { RMSprop as RMSprop32 } from "rmsprop-wasm";
import { load, restore, save } from "rmsprop-wasm/checkpoint";
import { CheckpointError, MemoryError, ParameterError, RMSprop } from "rmsprop-wasm/f64";
import { describe, expect, it } from "vitest";

const VALUES = [0.1, -0.2, 1e-30, 3];
const OPTIONS = { lr: 0.01, momentum: 0.9, centered: true, ema: { decay: 0.9 } };

function trained(backend: "wasm" | "js") {
  const optimizer = new RMSprop({ w: { shape: [2, 2], values: VALUES }, b: [7] }, { ...OPTIONS, backend });
  for (let step = 0; step < 70; step++) {
    optimizer.grads.w.forEach((_, i) => {
      optimizer.grads.w[i] = Math.fround(1 / (i + step + 1)) / 3;
    });
    optimizer.grads.b.fill(0.1 * step);
    optimizer.step();
  }
  return optimizer;
}

describe.each(["wasm", "js"] as const)("backend %s", (backend) => {
  it("takes doubles as they are, and gives the other backend's bits", () => {
    const optimizer = trained(backend);
    expect(optimizer.backend).toBe(backend);
    expect(optimizer.params.w).toBeInstanceOf(Float64Array);
    expect(optimizer.stateDict()).toEqual(trained(backend === "wasm" ? "js" : "wasm").stateDict());
    expect(new RMSprop({ w: { shape: [4], values: VALUES } }, { backend }).params.w).toEqual(
      Float64Array.from(VALUES),
    );
  });

  it("clips by norms whose squares a double can't hold", () => {
    for (const size of [1e200, 1e-200]) {
      const optimizer = new RMSprop({ w: [2] }, { backend, globalClipNorm: size, nonFinite: "throw" });
      optimizer.grads.w.set([3 * size, 4 * size]);
      optimizer.step();
      expect(optimizer.gradNorm! / size).toBeCloseTo(5, 12);
      expect(Number.isFinite(optimizer.report().w.gradRms)).toBe(true);
    }
  });

  it("adopts Float64Arrays, and byte offsets that are multiples of 8", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const param = new Float64Array(memory.buffer, 1024, 3).fill(2);
    const grad = new Float64Array(memory.buffer, 2048, 3);
    const optimizer = new RMSprop({ w: { param, grad } }, { memory, backend, lr: 0.5 });
    optimizer.grads.w.fill(1); // the state has made the memory grow
    optimizer.step();
    expect(new Float64Array(memory.buffer, 1024, 3)).toEqual(
      new Float64Array(3).fill(optimizer.params.w[0]!),
    );
    expect(optimizer.params.w[0]).toBeLessThan(0);
    const misplaced = { w: { param: 1028, grad: 2048, count: 3 } };
    expect(() => new RMSprop(misplaced, { memory, backend })).toThrow(MemoryError);
    const single = { param: new Float32Array(3), grad: new Float32Array(3) };
    expect(() => new RMSprop({ w: single as never }, { memory, backend })).toThrow(ParameterError);
  });

  it("saves doubles, which load as they are, or rounded once", () => {
    const optimizer = trained(backend);
    const file = save(optimizer);
    const wide = load(file, {}, RMSprop);
    expect(wide.stateDict()).toEqual(optimizer.stateDict());
    expect(load(file).params.w).toEqual(Float32Array.from(optimizer.params.w!));
    const other = new RMSprop({ w: [2, 2], b: [7] }, OPTIONS);
    restore(other, file);
    expect(other.params.w).toEqual(optimizer.params.w);
    const single = new RMSprop32({ w: [2, 2], b: [7] }, OPTIONS);
    single.loadStateDict(optimizer.stateDict());
    expect(single.params.w).toEqual(Float32Array.from(optimizer.params.w));
  });

  it("doesn't load into float32 what no float32 can hold, but for averages, which have a ceiling", () => {
    const optimizer = new RMSprop({ w: { shape: [1], values: [1e39] } }, { backend });
    expect(() => load(save(optimizer))).toThrow(CheckpointError);
    optimizer.params.w[0] = 1;
    optimizer.state.w.squareAvg[0] = 1e100;
    expect(load(save(optimizer)).state.w!.squareAvg[0]).toBe((2 - 2 ** -23) * 2 ** 127);
  });
});
