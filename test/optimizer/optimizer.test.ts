/** The optimizer through its public surface, the same on every entry and backend. */

import { DisposedError, MemoryError, OptionError, RMSprop, StaleViewError } from "rmsprop-wasm";
import { describe, expect, expectTypeOf, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { bits } from "../support/kernels.ts";

describe.each(ALL_ENTRIES)("$entry", ({ backend, make, real }) => {
  const { Array: Floats, bytes, round } = real;
  const values = (...all: number[]) => new Floats(all.length).map((_, i) => all[i]!);

  it("says which backend runs", () => {
    expect(make({ w: [2] }).backend).toBe(backend);
  });

  it("makes zero-filled tensors of the shapes asked for", () => {
    const { params, grads } = make({ w1: [3, 5], b1: [5], scale: [] });
    expect(Object.keys(params)).toEqual(["w1", "b1", "scale"]);
    expect(Object.keys(grads)).toEqual(["w1", "b1", "scale"]);
    expect(params.w1).toEqual(new Floats(15));
    expect(grads.b1).toEqual(new Floats(5));
    expect(params.scale.length).toBe(1);
  });

  it("copies initial values in once", () => {
    const initial = Float32Array.of(1, 2, 3);
    const { params } = make({ w: initial });
    initial[0] = 9;
    expect(params.w).toEqual(values(1, 2, 3));
  });

  it("keeps names apart that mean something else to JavaScript", () => {
    const params = JSON.parse('{ "__proto__": [2], "constructor": [3], "0": [1] }') as Record<
      string,
      number[]
    >;
    const optimizer = make(params);
    const sizes = Object.entries(optimizer.grads).map(([name, view]) => [name, view.length]);
    expect(sizes).toEqual([
      ["0", 1],
      ["__proto__", 2],
      ["constructor", 3],
    ]);
  });

  it("lays tensors apart in one memory, aligned for vectors", () => {
    const { params, grads, state, memory } = make(
      { a: [3], b: [5], c: [16] },
      { momentum: 0.9, centered: true },
    );
    const views = ["a", "b", "c"].flatMap((name) => {
      const key = name as "a";
      return [params[key], grads[key], ...Object.values(state[key])] as Float32Array[];
    });
    expect(views).toHaveLength(15);
    const taken = new Set<number>();
    for (const view of views) {
      expect(view.buffer).toBe(memory.buffer);
      expect(view.byteOffset % 16).toBe(0);
      expect(view.byteOffset).toBeGreaterThanOrEqual(1024);
      for (let byte = view.byteOffset; byte < view.byteOffset + view.byteLength; byte++) {
        expect(taken.has(byte)).toBe(false);
        taken.add(byte);
      }
    }
  });

  it("takes PyTorch's defaults", () => {
    expect({ ...make({ w: [1] }).groups[0] }).toEqual({
      lr: 0.01,
      alpha: 0.99,
      eps: 1e-8,
      epsInsideSqrt: false,
      weightDecay: 0,
      decoupledWeightDecay: false,
      momentum: 0,
      lrInMomentum: false,
      nesterov: false,
      centered: false,
      biasCorrection: false,
      initialSquareAvg: 0,
      clipValue: Infinity,
      clipNorm: Infinity,
      maximize: false,
      rowwiseState: false,
    });
  });

  it("updates every tensor, the padding between them aside", () => {
    const optimizer = make(
      { a: Float32Array.of(1, 2, 3), b: Float32Array.of(4) },
      { lr: 0.5, alpha: 0.75, eps: 1 },
    );
    optimizer.grads.a.set([2, -2, 0]);
    optimizer.grads.b.set([4]);
    expect(optimizer.step()).toBe(true);
    // v = g²/4, so the root is |g|/2 and the step 0.5·g / (|g|/2 + 1).
    expect([...optimizer.params.a]).toEqual([0.5, 2.5, 3]);
    expect(optimizer.params.b[0]).toBe(round(4 - round(2 / 3)));
    expect([...optimizer.state.a.squareAvg]).toEqual([1, 1, 0]);
  });

  it("finds the minimum of a ravine", () => {
    const optimizer = make({ x: Float32Array.of(-3, 2) }, { lr: 0.05, alpha: 0.9 });
    for (let i = 0; i < 600; i++) {
      const [x, y] = optimizer.params.x as unknown as [number, number];
      optimizer.grads.x.set([2 * x, 200 * y]);
      optimizer.groups[0].lr = 0.05 * (1 - i / 600);
      optimizer.step();
    }
    expect(Math.hypot(...optimizer.params.x)).toBeLessThan(1e-3);
  });

  it("gives each group its own hyperparameters, the rest from the options", () => {
    const optimizer = make([{ params: { a: [1] }, lr: 0.5, momentum: 0.9 }, { params: { b: [1] } }], {
      lr: 0.25,
      alpha: 0.75,
    });
    expect(optimizer.groups.map(({ lr, alpha, momentum }) => [lr, alpha, momentum])).toEqual([
      [0.5, 0.75, 0.9],
      [0.25, 0.75, 0],
    ]);
    optimizer.grads.a[0] = 1;
    optimizer.grads.b[0] = 1;
    optimizer.step();
    expect(optimizer.params.a[0]).toBeCloseTo(-1, 5);
    expect(optimizer.params.b[0]).toBeCloseTo(-0.5, 5);
    expect(Object.keys(optimizer.state.a)).toEqual(["squareAvg", "momentumBuffer"]);
    expect(Object.keys(optimizer.state.b)).toEqual(["squareAvg"]);
  });

  it("splits into groups without changing a bit", () => {
    const initial = new Floats(37).map((_, i) => Math.sin(i));
    const whole = make({ a: initial, b: initial }, { momentum: 0.9, centered: true, weightDecay: 0.01 });
    const parted = make([{ params: { a: initial } }, { params: { b: initial } }], {
      momentum: 0.9,
      centered: true,
      weightDecay: 0.01,
    });
    for (let step = 0; step < 20; step++) {
      for (const optimizer of [whole, parted]) {
        optimizer.grads.a.forEach((_, i, g) => {
          g[i] = Math.sin(i * step);
        });
        optimizer.grads.b.set(optimizer.params.b);
        optimizer.step();
      }
    }
    expect(bits(parted.params.a)).toEqual(bits(whole.params.a));
    expect(bits(parted.params.b)).toEqual(bits(whole.params.b));
  });

  it("holds an assigned hyperparameter from the next step", () => {
    const optimizer = make({ w: [1] }, { lr: 1, alpha: 0, eps: 1 });
    optimizer.grads.w[0] = 1;
    optimizer.step();
    expect(optimizer.params.w[0]).toBe(-0.5);
    optimizer.groups[0].lr = 2;
    optimizer.groups[0].maximize = true;
    optimizer.step();
    expect(optimizer.params.w[0]).toBe(0.5);
  });

  it("starts state that is switched on later from zero, each time", () => {
    const optimizer = make({ w: [2] }, { lr: 0.125, alpha: 0 });
    const group = optimizer.groups[0];
    const step = () => {
      optimizer.grads.w.fill(1);
      optimizer.step();
    };
    step();
    group.momentum = 0.5;
    group.centered = true;
    expect(optimizer.state.w).toEqual({
      squareAvg: values(1, 1),
      momentumBuffer: new Floats(2),
      gradAvg: new Floats(2),
    });
    step();
    expect([...optimizer.state.w.gradAvg!]).toEqual([1, 1]);
    group.centered = false;
    expect(optimizer.state.w.gradAvg).toBeUndefined();
    step();
    group.centered = true;
    expect([...optimizer.state.w.gradAvg!]).toEqual([0, 0]);
    expect(optimizer.state.w.momentumBuffer![0]).not.toBe(0);
  });

  it("clears gradients, and nothing else", () => {
    const optimizer = make({ a: Float32Array.of(1), b: [3] });
    optimizer.grads.b.fill(2);
    optimizer.step();
    const before = optimizer.params.b.slice();
    optimizer.zeroGrad();
    expect([...optimizer.grads.b]).toEqual([0, 0, 0]);
    expect(optimizer.params.b).toEqual(before);
    expect(optimizer.params.a[0]).toBe(1);
  });

  it("counts its steps", () => {
    const optimizer = make({ w: [1] });
    expect(optimizer.steps).toBe(0);
    optimizer.step();
    optimizer.step();
    expect(optimizer.steps).toBe(2);
  });

  describe("when the memory grows", () => {
    it("gives live views to who reads again", () => {
      const optimizer = make({ w: Float32Array.of(1, 2) }, { lr: 0.5, alpha: 0, eps: 1 });
      optimizer.step();
      const dead = optimizer.params.w;
      optimizer.memory.grow(1);
      expect(dead.length).toBe(0);
      expect([...optimizer.params.w]).toEqual([1, 2]);
      optimizer.grads.w.set([1, 1]);
      optimizer.step();
      expect([...optimizer.params.w]).toEqual([0.75, 1.75]);
    });

    it("refuses a step whose gradients were last read before, and changes nothing", () => {
      const optimizer = make({ w: [2], b: [1] });
      const gradient = optimizer.grads.w;
      gradient.fill(1);
      optimizer.step();
      const before = optimizer.params.w.slice();
      optimizer.memory.grow(1);
      gradient[0] = 5; // lost without a sound: that is why step() must refuse
      expect(() => optimizer.step()).toThrow(StaleViewError);
      expect(() => optimizer.step()).toThrow(/gradients of w were read.*`grads` again/s);
      expect(optimizer.params.w).toEqual(before);
      expect(optimizer.steps).toBe(1);
      optimizer.grads.w.fill(1);
      expect(optimizer.step()).toBe(true);
    });

    it("never refuses who hasn't read gradients", () => {
      const optimizer = make({ w: [2] });
      optimizer.memory.grow(1);
      expect(optimizer.step()).toBe(true);
    });
  });

  it("can't be used after dispose, not even by what was taken from it before", () => {
    const optimizer = make({ w: [2] });
    const { params, state } = optimizer;
    optimizer.dispose();
    optimizer.dispose();
    const uses = [
      () => optimizer.step(),
      () => optimizer.zeroGrad(),
      () => params.w,
      () => optimizer.grads.w,
      () => state.w,
      () => optimizer.memory,
      () => optimizer.backend,
    ];
    for (const use of uses) expect(use).toThrow(DisposedError);
    expect(() => optimizer.step()).toThrow(/was disposed of/);
  });

  it("disposes of itself at the end of a `using` block", () => {
    const optimizer = make({ w: [2] });
    optimizer[Symbol.dispose]();
    expect(() => optimizer.step()).toThrow(DisposedError);
  });

  it("refuses more than a memory can hold", () => {
    const shape = [2 ** 30 / bytes, 2];
    expect(() => make({ w: shape })).toThrow(MemoryError);
    expect(() => make({ w: shape })).toThrow(/6144\.\d MiB.*at most 4096 MiB/);
    expect(() => make({ w: [2 ** 40, 2 ** 40] })).toThrow(MemoryError);
  });
});

it.each(["float32", "float64"])("gives the same bits on both backends over a long run in %s", (name) => {
  const options = { lr: 1e-2, momentum: 0.9, centered: true, weightDecay: 1e-3, maximize: true };
  const entries = ALL_ENTRIES.filter(({ real }) => real.name === name);
  const [wasm, js] = entries.map(({ make }) => make({ a: [33], b: [7, 7] }, options));
  for (let step = 0; step < 1000; step++) {
    for (const { params, grads } of [wasm!, js!]) {
      grads.a.forEach((_, i, g) => {
        g[i] = ((i * 7 + step * 13) % 64) / 16 - 2 - params.a[i]!;
      });
      grads.b.forEach((_, i, g) => {
        g[i] = params.b[i]! * 3 + ((i + step) % 5) * 2 ** ((i % 30) - 15);
      });
    }
    wasm!.step();
    js!.step();
  }
  for (const name of ["a", "b"] as const) {
    expect(bits(js!.params[name])).toEqual(bits(wasm!.params[name]));
    expect(bits(js!.state[name].gradAvg!)).toEqual(bits(wasm!.state[name].gradAvg!));
  }
});

it("types names as they were given", () => {
  const single = new RMSprop({ w1: [2, 2], b1: new Float32Array(2) });
  expectTypeOf(single.params).toEqualTypeOf<Readonly<Record<"w1" | "b1", Float32Array>>>();
  const groups = new RMSprop([{ params: { a: [1] } }, { params: { b: [1] }, lr: 1 }]);
  expectTypeOf(groups.grads).toEqualTypeOf<Readonly<Record<"a" | "b", Float32Array>>>();
  // @ts-expect-error: no such parameter
  expect(single.params.w2).toBeUndefined();
  // @ts-expect-error: no such option
  expect(() => new RMSprop({ w: [1] }, { learningRate: 1 })).toThrow(OptionError);
});
