/** A step's work on gradients before the update, on every entry and backend. */
import { NonFiniteError, OptionError } from "rmsprop-wasm";
import { instantiate } from "rmsprop-wasm/core";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { bits } from "../support/kernels.ts";

/** The norm in double, summed as anybody would: it differs from ours in the last bits only. */
const norm = (...gradients: Iterable<number>[]) => Math.hypot(...gradients.flatMap((values) => [...values]));

describe.each(ALL_ENTRIES)("$entry", ({ make, real }) => {
  const { Array: Floats, round } = real;
  const ramp = (count: number, scale = 1) => new Floats(count).map((_, i) => (i - 7) * scale);

  /** One step from the same start; gives what it left. */
  const stepped = (options: Parameters<typeof make>[1], stepOptions = {}, grads = [ramp(37), ramp(5, 3)]) => {
    const optimizer = make({ a: ramp(37, 0.1), b: ramp(5) }, { alpha: 0.9, ...options });
    optimizer.grads.a.set(grads[0]!);
    optimizer.grads.b.set(grads[1]!);
    optimizer.step(stepOptions);
    return optimizer;
  };
  const scaled = (factor: number, grads = [ramp(37), ramp(5, 3)]) =>
    grads.map((values) => values.map((g) => round(g * round(factor))));

  describe("gradScale", () => {
    it("multiplies the gradients on their way in, and leaves them as they lie", () => {
      const mean = stepped({}, { gradScale: 1 / 3 });
      const expected = stepped({}, {}, scaled(1 / 3));
      expect(bits(mean.params.a)).toEqual(bits(expected.params.a));
      expect(bits(mean.state.b.squareAvg)).toEqual(bits(expected.state.b.squareAvg));
      expect(mean.grads.a).toEqual(ramp(37));
    });

    it("undoes a loss scale exactly, being a power of two", () => {
      const loss = stepped({}, { gradScale: 2 ** -15 }, scaled(2 ** 15));
      expect(bits(loss.params.a)).toEqual(bits(stepped({}).params.a));
    });
  });

  describe("zeroGrad", () => {
    it.each([{}, { weightDecay: 0.1 }, { clipNorm: 1 }, { ema: { decay: 0.9 } }])(
      "clears behind the update with %o",
      (options) => {
        const optimizer = stepped(options, { zeroGrad: true });
        expect(optimizer.grads.a).toEqual(new Floats(37));
        expect(optimizer.grads.b).toEqual(new Floats(5));
        expect(bits(optimizer.params.a)).toEqual(bits(stepped(options).params.a));
      },
    );

    it("holds for the step that asks for it alone", () => {
      const optimizer = stepped({});
      for (const zeroGrad of [true, false, false, true]) {
        optimizer.grads.a.set(ramp(37));
        optimizer.step({ zeroGrad });
        expect(optimizer.grads.a).toEqual(zeroGrad ? new Floats(37) : ramp(37));
      }
    });
  });

  describe("clipping", () => {
    it("clips each element by value", () => {
      const clipped = stepped({ clipValue: 4.5 });
      const by = (values: Float32Array) => values.map((g) => Math.max(-4.5, Math.min(4.5, g)));
      const expected = stepped({}, {}, [by(ramp(37)), by(ramp(5, 3))]);
      expect(bits(clipped.params.a)).toEqual(bits(expected.params.a));
      expect(clipped.grads.a).toEqual(ramp(37));
    });

    it("scales all gradients down to a global norm", () => {
      const total = norm(ramp(37), ramp(5, 3));
      const clipped = stepped({ globalClipNorm: 2 });
      expect(bits(clipped.params.b)).toEqual(bits(stepped({}, {}, scaled(2 / total)).params.b));
      expect(clipped.gradNorm).toBeCloseTo(total, 10);
      expect(clipped.grads.b).toEqual(ramp(5, 3));
    });

    it("scales each tensor down to a norm of its own", () => {
      const clipped = stepped({ clipNorm: 50 });
      // b's norm is 38.7, below the limit.
      const expected = stepped({}, {}, [scaled(50 / norm(ramp(37)))[0]!, ramp(5, 3)]);
      expect(norm(ramp(5, 3))).toBeLessThan(50);
      expect(bits(clipped.params.a)).toEqual(bits(expected.params.a));
      expect(bits(clipped.params.b)).toEqual(bits(expected.params.b));
    });

    it("leaves gradients below the norm alone, to the bit", () => {
      expect(bits(stepped({ globalClipNorm: 1e3 }).params.a)).toEqual(bits(stepped({}).params.a));
      expect(bits(stepped({ clipNorm: 1e3 }).params.a)).toEqual(bits(stepped({}).params.a));
    });

    it("clips what gradScale leaves", () => {
      const both = stepped({ globalClipNorm: 2 }, { gradScale: 1 / 1024 });
      expect(both.gradNorm).toBeCloseTo(norm(ramp(37), ramp(5, 3)) / 1024, 10);
      expect(bits(both.params.a)).toEqual(bits(stepped({}, { gradScale: 1 / 1024 }).params.a));
    });

    describe("in one group of two", () => {
      const [inA, inB] = [{ clipNorm: 0.5 }, {}];
      const grouped = (options: object[]) => {
        const [a, b] = options;
        const optimizer = make(
          [
            { params: { a: ramp(37, 0.1) }, ...a },
            { params: { b: ramp(5) }, ...b },
          ],
          { alpha: 0.9 },
        );
        optimizer.grads.a.set(ramp(37));
        optimizer.grads.b.set(ramp(5, 3));
        return optimizer;
      };
      const clippedA = () => scaled(0.5 / norm(ramp(37)));

      it.each([{}, { gradNorm: 1 }])(
        "leaves the other one's alone, whatever norm is handed in: %o",
        (options) => {
          for (const [first, second] of [
            [inA, inB],
            [inB, inA],
          ] as const) {
            const optimizer = grouped([first, second]);
            optimizer.step(options);
            const [a, b] = [grouped([first, first]), grouped([second, second])];
            a.step(options);
            b.step(options);
            expect(bits(optimizer.params.a)).toEqual(bits(a.params.a));
            expect(bits(optimizer.params.b)).toEqual(bits(b.params.b));
          }
          const clipped = grouped([inA, inB]);
          clipped.step(options);
          expect(bits(clipped.params.a)).toEqual(bits(stepped({}, {}, clippedA()).params.a));
          expect(bits(clipped.params.b)).toEqual(bits(stepped({}).params.b));
        },
      );

      it("begins when it is assigned, after steps that measured nothing", () => {
        const [late, early] = [grouped([{}, {}]), grouped([{}, {}])];
        for (const one of [late, early]) one.step();
        expect(late.gradNorm).toBeUndefined();
        late.groups[0].clipNorm = 0.5;
        late.step();
        expect(late.gradNorm).toBeGreaterThan(0);
        early.grads.a.set(clippedA()[0]!);
        early.step();
        expect(bits(late.params.a)).toEqual(bits(early.params.a));
        late.groups[0].clipNorm = Infinity;
        const { gradNorm } = late;
        late.grads.a.fill(1);
        late.step();
        expect(late.gradNorm).toBe(gradNorm);
      });

      it("measures whole gradients, which no share may have cleared", () => {
        for (const groups of [
          [inA, inB],
          [inB, inA],
        ]) {
          const options = { shard: { index: 0, count: 2 }, zeroGrad: true };
          expect(() => grouped(groups).step(options)).toThrow(/call zeroGrad\(\) after the last share/);
        }
      });
    });

    it("clips by a norm that is the same however parameters are grouped", () => {
      const make2 = (grouped: boolean) => {
        const [a, b] = [ramp(4099, 0.01), ramp(33)];
        const optimizer = grouped
          ? make([{ params: { a } }, { params: { b } }], { globalClipNorm: 1 })
          : make({ a, b }, { globalClipNorm: 1 });
        optimizer.grads.a.set(ramp(4099));
        optimizer.grads.b.set(ramp(33, 1e-3));
        optimizer.step();
        return optimizer;
      };
      expect(make2(true).gradNorm).toBe(make2(false).gradNorm);
      expect(bits(make2(true).params.a)).toEqual(bits(make2(false).params.a));
    });

    it("measures norms no float32 could hold", () => {
      const huge = stepped({ globalClipNorm: 1 }, {}, [ramp(37, 3e36), ramp(5, 1e-30)]);
      expect(huge.gradNorm! / 3e36).toBeCloseTo(norm(ramp(37)), 6);
      expect([...huge.params.a].every(Number.isFinite)).toBe(true);
    });

    it("clips nothing by a norm that isn't finite: one bad element doesn't spoil the others", () => {
      const gradient = ramp(37);
      gradient[3] = NaN;
      const clipped = stepped({ globalClipNorm: 2 }, {}, [gradient, ramp(5, 3)]);
      expect(clipped.gradNorm).toBeNaN();
      expect([...clipped.params.a].map(Number.isNaN).indexOf(true)).toBe(3);
      expect(bits(clipped.params.b)).toEqual(bits(stepped({}).params.b));
    });
  });

  describe("nonFinite", () => {
    const bad = [ramp(37), ramp(5, 3)];
    it.each([NaN, Infinity, -Infinity])("skips a step with %s in any gradient, and counts it", (value) => {
      const optimizer = make(
        { a: ramp(37), b: ramp(5) },
        { nonFinite: "skip", momentum: 0.9, ema: { decay: 0.9 } },
      );
      optimizer.grads.a.set(bad[0]!);
      optimizer.grads.b.set(bad[1]!);
      expect(optimizer.step()).toBe(true);
      const before = new Uint8Array(optimizer.memory.buffer).slice();
      optimizer.grads.b[4] = value;
      const spoilt = new Uint8Array(optimizer.memory.buffer).slice();
      expect(optimizer.step({ zeroGrad: true })).toBe(false);
      expect(new Uint8Array(optimizer.memory.buffer)).toEqual(spoilt);
      expect([optimizer.steps, optimizer.skippedSteps]).toEqual([1, 1]);
      optimizer.grads.b[4] = bad[1]![4]!;
      expect(new Uint8Array(optimizer.memory.buffer)).toEqual(before);
      expect(optimizer.step()).toBe(true);
      expect([optimizer.steps, optimizer.skippedSteps]).toEqual([2, 1]);
    });

    it("throws, names the tensors, and changes nothing", () => {
      const optimizer = make({ a: [37], b: [5], c: [1] }, { nonFinite: "throw" });
      optimizer.grads.a[36] = NaN;
      optimizer.grads.c[0] = Infinity;
      const before = new Uint8Array(optimizer.memory.buffer).slice();
      expect(() => optimizer.step()).toThrow(NonFiniteError);
      expect(() => optimizer.step()).toThrow(/gradients of a, c hold a NaN or an infinity/);
      expect(new Uint8Array(optimizer.memory.buffer)).toEqual(before);
      expect([optimizer.steps, optimizer.gradNorm]).toEqual([0, undefined]);
      expect(() => optimizer.step({ gradNorm: NaN })).toThrow(/By their gradNorm, the gradients hold a NaN/);
    });

    it("propagates by default", () => {
      const optimizer = make({ a: [2] });
      optimizer.grads.a[1] = NaN;
      expect(optimizer.step()).toBe(true);
      expect([...optimizer.params.a]).toEqual([0, NaN]);
      expect(optimizer.gradNorm).toBeUndefined();
    });
  });

  it.each([{ clipNorm: 5 }, { globalClipNorm: 5 }])(
    "clips the norm of the scaled gradient, whatever the scale's sign: %o",
    (clip) => {
      for (const gradScale of [1, 0.25, 0.5, 2, 4, -0.25, -0.5, -1, -4]) {
        const [scaled, given] = [
          make({ w: [3] }, { ...clip, momentum: 0.9 }),
          make({ w: [3] }, { ...clip, momentum: 0.9 }),
        ];
        for (let step = 0; step < 3; step++) {
          scaled.grads.w.set([3, -4, 0.5]);
          given.grads.w.set([3 * gradScale, -4 * gradScale, 0.5 * gradScale]);
          scaled.step({ gradScale });
          given.step();
        }
        const [some, others] = [scaled, given].map(({ params, state }) => [
          ...params.w,
          ...state.w.squareAvg,
        ]);
        some!.forEach((value, i) => {
          expect(Math.abs(value - others![i]!)).toBeLessThanOrEqual(1e-5 * Math.abs(others![i]!));
        });
      }
    },
  );

  it.each([
    [{ nesterov: true }, /nesterov .* set momentum above 0/],
    [{ biasCorrection: true, alpha: 1 }, /biasCorrection divides by .* which is 0 with alpha 1/],
    [{ clipNorm: 1, globalClipNorm: 2 }, /clipNorm 1 and globalClipNorm 2 both scale/],
    [{ globalClipNorm: 0 }, /globalClipNorm: got 0, expected a number above 0/],
    [{ nonFinite: "ignore" }, /nonFinite: got "ignore", expected "propagate" or "skip" or "throw"/],
    [{ ema: 0.9 }, /ema: got 0.9, expected \{ decay: a number from 0 to 1 \}/],
    [{ ema: { decay: 2 } }, /ema: got .*expected \{ decay/],
    [{ ema: { momentum: 0.9 } }, /ema: got .*expected \{ decay/],
  ])("refuses %o", (options, message) => {
    expect(() => make({ w: [1] }, options as object)).toThrow(OptionError);
    expect(() => make({ w: [1] }, options as object)).toThrow(message);
  });

  it("refuses impossible combinations by assignment too, and keeps the old value", () => {
    const optimizer = make({ w: [1] }, { globalClipNorm: 1, momentum: 0.9, nesterov: true });
    const [group] = optimizer.groups;
    expect(() => Object.assign(group, { momentum: 0 })).toThrow(OptionError);
    expect(() => Object.assign(group, { clipNorm: 3 })).toThrow(OptionError);
    expect([group.momentum, group.clipNorm]).toEqual([0.9, Infinity]);
  });

  it.each([
    [{ gradScale: NaN }, /gradScale: got NaN/],
    [{ gradScale: "2" }, /gradScale: got "2"/],
    [{ zeroGrad: 1 }, /zeroGrad: got 1/],
    [{ zeroGrads: true }, /"zeroGrads".*did you mean "zeroGrad"/],
  ])("refuses step(%o), and changes nothing", (options, message) => {
    const optimizer = make({ w: [1] });
    optimizer.grads.w[0] = 1;
    expect(() => optimizer.step(options as object)).toThrow(message);
    expect([optimizer.params.w[0], optimizer.steps]).toEqual([0, 0]);
  });
});

it.each(["float32", "float64"])("measures and clips alike on all backends in %s, to the bit", (name) => {
  const entries = ALL_ENTRIES.filter(({ real }) => real.name === name);
  for (const count of [1, 7, 8, 9, 4095, 4096, 4097, 4104, 12_345]) {
    const optimizers = entries.map(({ make }) => make({ w: [count] }, { globalClipNorm: 0.1 }));
    for (const optimizer of optimizers) {
      optimizer.grads.w.forEach((_, i, g) => {
        g[i] = Math.fround(Math.sin(i) * 2 ** ((i % 40) - 20));
      });
      optimizer.step();
    }
    const [wasm, ...js] = optimizers;
    for (const other of js) {
      expect(other.gradNorm).toBe(wasm!.gradNorm);
      expect(bits(other.params.w)).toEqual(bits(wasm!.params.w));
    }
  }
});

describe("rmsprop-wasm/core", () => {
  it("sums squares, for a caller that clips by itself", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = new Float32Array(memory.buffer);
    const { update, sumOfSquares } = instantiate(memory);
    heap.set([3, 4], 512);
    expect(sumOfSquares({ grad: 2048, count: 2 })).toBe(25);
    update(
      { param: 1024, grad: 2048, squareAvg: 3072, count: 2 },
      { gradScale: 1 / 5, alpha: 0, lr: 1, zeroGrad: true },
    );
    expect([...heap.subarray(768, 770)]).toEqual(
      [Math.fround(0.6) ** 2, Math.fround(0.8) ** 2].map(Math.fround),
    );
    expect([...heap.subarray(512, 514)]).toEqual([0, 0]);
    heap[513] = Infinity;
    expect(sumOfSquares({ grad: 2048, count: 2 })).toBe(Infinity);
    expect(() => sumOfSquares({ grad: 2, count: 2 })).toThrow(/grad: got byte offset 2/);
  });
});
