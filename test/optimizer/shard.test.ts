/** A step by shares: all of them, in any order and by whomever, give the bits of one whole step. */
import fc from "fast-check";
import { OptionError, RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { bits } from "../support/kernels.ts";

const values = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 7 + seed));

describe.each(ALL_ENTRIES)("$entry", ({ make, real }) => {
  const options = {
    momentum: 0.9,
    centered: true,
    weightDecay: 0.01,
    biasCorrection: true,
    ema: { decay: 0.9 },
  };
  const shapes = { a: values(37, 1), b: values(5, 2), c: values(130, 3) };
  const withGradients = (more = {}) => {
    const optimizer = make([{ params: { a: shapes.a } }, { params: { b: shapes.b, c: shapes.c }, lr: 0.1 }], {
      ...options,
      ...more,
    });
    for (const [i, grad] of Object.values<Float32Array>(optimizer.grads).entries())
      grad.set(values(grad.length, 9 + i));
    return optimizer;
  };
  const snapshot = (optimizer: ReturnType<typeof withGradients>) =>
    Object.values<Float32Array>({
      ...optimizer.params,
      e: optimizer.ema.c,
      v: optimizer.state.c.squareAvg,
    }).map(bits);

  const snapshotOfParams = ({ params }: ReturnType<typeof withGradients>) =>
    Object.fromEntries(Object.entries<Float32Array>(params).map(([name, values]) => [name, values.slice()]));

  it("gives the same bits whatever the number of shares and their order", () => {
    const whole = withGradients();
    for (let step = 0; step < 3; step++) whole.step();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 }),
        (count, keys) => {
          const optimizer = withGradients();
          const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
          for (let step = 0; step < 3; step++) {
            for (const index of order) optimizer.step({ shard: { index, count } });
          }
          expect(optimizer.steps).toBe(3);
          expect(snapshot(optimizer)).toEqual(snapshot(whole));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("clips by the norm that is handed in", () => {
    const whole = withGradients({ globalClipNorm: 0.5 });
    whole.step();
    const optimizer = withGradients({ globalClipNorm: 0.5 });
    for (const index of [2, 0, 1]) optimizer.step({ shard: { index, count: 3 }, gradNorm: whole.gradNorm! });
    expect(snapshot(optimizer)).toEqual(snapshot(whole));
    expect(() => optimizer.step({ shard: { index: 0, count: 3 } })).toThrow(OptionError);
    expect(() => optimizer.step({ shard: { index: 0, count: 3 } })).toThrow(/hand in gradNorm/);
  });

  it("clips each tensor by its whole norm", () => {
    const whole = withGradients({ clipNorm: 0.5 });
    whole.step();
    const optimizer = withGradients({ clipNorm: 0.5 });
    for (const index of [1, 0]) optimizer.step({ shard: { index, count: 2 } });
    expect(snapshot(optimizer)).toEqual(snapshot(whole));
  });

  it("refuses to clear a part of gradients that other shares measure whole", () => {
    const optimizer = withGradients({ clipNorm: 0.5 });
    const before = snapshot(optimizer);
    const share = { shard: { index: 0, count: 2 }, zeroGrad: true };
    for (const gradNorm of [undefined, 3]) {
      expect(() => optimizer.step({ ...share, gradNorm })).toThrow(OptionError);
      expect(() => optimizer.step({ ...share, gradNorm })).toThrow(
        /leave out zeroGrad, and call zeroGrad\(\) after the last share/,
      );
    }
    expect(snapshot(optimizer)).toEqual(before);
    expect(optimizer.steps).toBe(0);
    expect(withGradients().step(share)).toBe(true);
    optimizer.groups.forEach((group) => {
      group.clipNorm = Infinity;
    });
    expect(optimizer.step(share)).toBe(true);
  });

  it("skips every share of a step whose norm isn't finite", () => {
    const optimizer = withGradients({ nonFinite: "skip" });
    const before = snapshot(optimizer);
    expect(optimizer.step({ shard: { index: 0, count: 2 }, gradNorm: NaN })).toBe(false);
    expect(snapshot(optimizer)).toEqual(before);
    expect(optimizer.steps).toBe(0);
  });

  it("counts one step for one owner's share at each step", () => {
    const rates: number[] = [];
    const optimizer = make({ w: [100] }, { lr: (step) => rates.push(step) });
    for (let step = 0; step < 3; step++) optimizer.step({ shard: { index: 1, count: 2 } });
    optimizer.step();
    optimizer.step({ shard: { index: 1, count: 2 } });
    expect(rates).toEqual([0, 1, 2, 3, 4]);
    expect(optimizer.steps).toBe(5);
  });

  it("begins a new step with a share that was done, another number of shares, or all of it", () => {
    const rates: number[] = [];
    const optimizer = make({ w: [100] }, { lr: (step) => rates.push(step) && 0 });
    const shares = (count: number, ...indices: number[]) => {
      for (const index of indices) optimizer.step({ shard: { index, count } });
    };
    shares(3, 2, 0, 1);
    shares(3, 1, 2, 0);
    shares(4, 3, 0, 1, 2);
    shares(2, 1, 0);
    optimizer.step();
    shares(2, 0, 1);
    expect(rates).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 5]);
    expect(optimizer.steps).toBe(6);
  });

  it.each([2, 7, 64])("cuts each group into %i shares that differ by a cache line at most", (count) => {
    const optimizer = make([{ params: { a: [1000], b: [37], c: [5000] } }, { params: { other: [640] } }]);
    const line = 64 / real.bytes;
    const taken = Array.from({ length: count }, (_, index) =>
      Object.entries(optimizer.shareRanges({ index, count })).map(([name, { start, end }]) => ({
        name,
        elements: end - start,
      })),
    );
    for (const [names, total] of [
      [["a", "b", "c"], 6037],
      [["other"], 640],
    ] as const) {
      const sizes = taken.map((tensors) =>
        tensors.reduce(
          (sum, { name, elements }) => sum + (names.some((own) => own === name) ? elements : 0),
          0,
        ),
      );
      expect(sizes.reduce((sum, size) => sum + size)).toBe(total);
      for (const size of sizes) expect(Math.abs(size - total / count)).toBeLessThanOrEqual(line);
    }
  });

  it("updates the elements that it names, and no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(), (count, n) => {
        const optimizer = withGradients({ ema: undefined });
        const before = snapshotOfParams(optimizer);
        const shard = { index: n % count, count };
        optimizer.step({ shard });
        const ranges = optimizer.shareRanges(shard);
        for (const [name, values] of Object.entries(snapshotOfParams(optimizer))) {
          const { start, end } = ranges[name as keyof typeof ranges];
          const touched = [...values.keys()].filter((i) => values[i] !== before[name]![i]);
          expect(touched, name).toEqual(Array.from({ length: end - start }, (_, i) => start + i));
        }
      }),
    );
    // Shares begin at cache lines.
    const { start, end } = make({ w: [64] }).shareRanges({ index: 1, count: 3 }).w;
    expect([start, end]).toEqual(real.bytes === 4 ? [16, 32] : [16, 40]);
    expect(() => make({ w: [64] }).shareRanges({ index: 3, count: 3 })).toThrow(/shard: got/);
  });

  it.each([
    { index: 3, count: 3 },
    { index: -1, count: 2 },
    { index: 0.5, count: 2 },
    { index: 0 },
    { index: 0, count: 2, of: 3 },
    { index: 0, count: 1025 },
    { index: NaN, count: 2 },
    null,
    2,
  ])("refuses shard %o, and changes nothing", (shard) => {
    const optimizer = withGradients();
    const before = snapshot(optimizer);
    expect(() => optimizer.step({ shard: shard as never })).toThrow(
      /shard: got .*, expected \{ index, count \}/,
    );
    expect(snapshot(optimizer)).toEqual(before);
  });

  it.each([-1, -Infinity, "1", null])("refuses %o for a norm", (gradNorm) => {
    expect(() => withGradients().step({ gradNorm: gradNorm as never })).toThrow(/gradNorm: got .*, expected/);
  });

  it.each([0, Infinity, NaN])("takes %d for a norm", (gradNorm) => {
    const optimizer = withGradients();
    optimizer.step({ gradNorm });
    expect(optimizer.gradNorm).toBe(gradNorm);
  });
});

it("lets two machines each hold one share of the state, as ZeRO does", () => {
  const make = () => new RMSprop({ w: values(1000, 1) }, { lr: 0.1, momentum: 0.9 });
  const [whole, ...machines] = [make(), make(), make()] as const;
  for (let step = 0; step < 5; step++) {
    for (const optimizer of [whole, ...machines]) optimizer.grads.w.set(values(1000, step));
    whole.step();
    for (const [index, machine] of machines.entries()) machine.step({ shard: { index, count: 2 } });
    // Each sends the other its share of the parameters.
    for (const [index, machine] of machines.entries()) {
      const { start, end } = machine.shareRanges({ index, count: 2 }).w;
      machines[1 - index]!.params.w.set(machine.params.w.subarray(start, end), start);
    }
  }
  for (const { params } of machines) expect(bits(params.w)).toEqual(bits(whole.params.w));
});
