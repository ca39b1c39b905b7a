/** `optimizer.report()`: its figures against plain double arithmetic on the views, on every entry. */
import { Console } from "node:console";
import { Writable } from "node:stream";
import { DisposedError, OptionError, StaleViewError } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import type { Options } from "../../src/options/options.ts";
import { ENTRIES } from "../support/entries.ts";
import { expectClose, expectedOf, rms, shortest, train } from "../support/reports.ts";

const SIZES = [1, 2, 3, 4, 5, 31, 1000, 4097];

/** What changes the denominator, the update, or the gradient on its way there. */
const OPTIONS: Options[] = [
  {},
  { epsInsideSqrt: true, eps: 1e-3 },
  { centered: true },
  { biasCorrection: true },
  { centered: true, biasCorrection: true, epsInsideSqrt: true, eps: 1e-2 },
  { initialSquareAvg: 1 },
  { momentum: 0.9 },
  { momentum: 0.9, lrInMomentum: true },
  { momentum: 0.9, nesterov: true },
  { momentum: 0.9, nesterov: true, lrInMomentum: true, centered: true, biasCorrection: true },
  { maximize: true, clipValue: 0.5 },
  { weightDecay: 0.1 },
  { weightDecay: 0.1, decoupledWeightDecay: true },
  { clipNorm: 0.25, clipValue: 0.1, weightDecay: 0.01 },
];

describe.each(ENTRIES)("$entry", ({ backend, make }) => {
  describe.each(OPTIONS)("with %j", (options) => {
    it.each(SIZES)("gives what double arithmetic gives, for %i elements", (count) => {
      const optimizer = make({ w: [count] }, { lr: 0.02, alpha: 0.9, ...options });
      expect(optimizer.backend).toBe(backend);
      train(optimizer, 6);
      const { w } = optimizer.report();
      expectClose(w!, expectedOf(optimizer, "w"));
    });
  });

  // Coupled decay is of the parameter before the step, which isn't there any more.
  const uncoupled = OPTIONS.filter(
    ({ weightDecay, decoupledWeightDecay }) => !weightDecay || decoupledWeightDecay,
  );
  it.each(uncoupled)("gives the update that was just made, to the bit, with %j", (options) => {
    const optimizer = make({ a: [100], b: [7] }, { lr: 0.1, ...options });
    train(optimizer, 1, { gradScale: 0.37 });
    const { a, b } = optimizer.report();
    // The parameters were zeros, and are the update alone.
    const parameters = [optimizer.params.a, optimizer.params.b];
    expect([a.updateRms, b.updateRms]).toEqual(parameters.map((param) => shortest(rms(param))));
    expect([a.updateRatio, b.updateRatio]).toEqual([1, 1]);
  });

  it("scales by the norm of all gradients where that clips", () => {
    const optimizer = make({ a: [100], b: [7] }, { globalClipNorm: 0.01, alpha: 0.9 });
    train(optimizer, 1, { gradScale: 3 });
    const report = optimizer.report();
    expect(report.a!.updateRatio).toBe(1);
    expect(report.b!.updateRatio).toBe(1);
    expect(report.a!.gradRms).toBe(shortest(rms(optimizer.grads.a!)));
    expect(optimizer.gradNorm).toBeGreaterThan(1);
  });

  it("gives the share of gradients that are 0, of either sign", () => {
    const optimizer = make({ w: [8], dead: [3], one: [1] });
    optimizer.grads.w!.set([0, -0, 1, 2 ** -149, 0, -1, 3, 4]);
    optimizer.grads.one!.set([1]);
    const { w, dead, one } = optimizer.report();
    expect([w, dead, one].map((report) => report!.zeroGradShare)).toEqual([0.375, 1, 0]);
    expect(dead).toMatchObject({ gradRms: 0, updateRms: 0, updateRatio: 0, nonFinite: 0 });
  });

  it("leaves elements that aren't finite out, and counts them", () => {
    const bad = [NaN, Infinity, -Infinity];
    const clean = make({ w: [5] }, { momentum: 0.5, centered: true });
    const broken = make({ w: [11] }, { momentum: 0.5, centered: true });
    train(clean, 3);
    for (const view of ["params", "grads"] as const) broken[view].w!.set(clean[view].w!, 3);
    for (const plane of ["squareAvg", "momentumBuffer", "gradAvg"] as const)
      broken.state.w![plane]!.set(clean.state.w![plane]!, 3);
    broken.grads.w!.set(bad, 0);
    broken.grads.w!.fill(1, 8);
    broken.params.w!.set(bad, 8);
    expect(broken.report().w).toEqual({ ...clean.report().w, zeroGradShare: shortest(1 / 11), nonFinite: 6 });
    // What a NaN has left in the state stalls an element for good, whose gradient and parameter are in order.
    broken.grads.w!.set(clean.grads.w!.subarray(0, 3));
    broken.params.w!.fill(1);
    broken.state.w!.squareAvg[0] = NaN;
    broken.state.w!.momentumBuffer![1] = Infinity;
    broken.state.w!.gradAvg![10] = NaN;
    expect(broken.report().w!.nonFinite).toBe(3);
  });

  it("gives NaN where no element is finite, and Infinity by a parameter of 0", () => {
    const optimizer = make({ w: [2], zero: [2] });
    optimizer.grads.w!.set([NaN, 0]);
    optimizer.params.w!.set([0, NaN]);
    optimizer.grads.zero!.fill(1);
    expect(optimizer.report()).toEqual({
      w: {
        gradRms: NaN,
        updateRms: NaN,
        updateRatio: NaN,
        minLr: NaN,
        medianLr: NaN,
        maxLr: NaN,
        zeroGradShare: 0.5,
        nonFinite: 2,
      },
      zero: expect.objectContaining({ updateRatio: Infinity, nonFinite: 0 }),
    });
  });

  it("takes the largest and the smallest numbers there are", () => {
    const optimizer = make({ w: [4] }, { lr: 1, eps: 1 });
    optimizer.grads.w!.set([3e38, -3e38, 2 ** -149, 1e-30]);
    optimizer.params.w!.fill(-3e38);
    const { w } = optimizer.report();
    expect(w!.nonFinite).toBe(0);
    expect(w!.gradRms).toBeCloseTo(3e38 / Math.SQRT2, -33);
    expect(w!.updateRatio).toBeCloseTo(Math.SQRT1_2, 6);
  });

  it("gives a rate of 0 for an lr of 0 or −0", () => {
    for (const lr of [0, -0]) {
      const optimizer = make({ w: [3] }, { lr });
      train(optimizer, 2);
      expect(optimizer.report().w).toMatchObject({ minLr: 0, medianLr: 0, maxLr: 0, updateRms: 0 });
    }
  });

  it("takes each group's own hyperparameters, as they are set now", () => {
    const optimizer = make([{ params: { a: [3], b: [1] }, lr: 0.5 }, { params: { c: [2] } }], {
      lr: 0.25,
      eps: 1,
    });
    const lrs = () => Object.entries(optimizer.report()).map(([name, { medianLr }]) => [name, medianLr]);
    expect(lrs()).toEqual([
      ["a", 0.5],
      ["b", 0.5],
      ["c", 0.25],
    ]);
    optimizer.groups[1]!.lr = 4;
    optimizer.groups[0].eps = 0.5;
    expect(lrs()).toEqual([
      ["a", 1],
      ["b", 1],
      ["c", 4],
    ]);
  });

  it("takes of a schedule what it gave the last step", () => {
    const asked: number[] = [];
    const lr = (step: number) => {
      asked.push(step);
      return 2 ** -step;
    };
    const optimizer = make({ w: [2] }, { lr, eps: 1 });
    expect(optimizer.report().w!.medianLr).toBe(1);
    for (const expected of [1, 0.5, 0.25]) {
      optimizer.step();
      expect(optimizer.report().w!.medianLr).toBe(expected);
    }
    expect(asked).toEqual([0, 0, 0, 1, 1, 2, 2]);
    optimizer.groups[0].lr = () => NaN;
    expect(() => optimizer.report()).toThrow(OptionError);
  });

  it("corrects the bias of the steps taken, and before the first one as that will", () => {
    const optimizer = make({ w: [1] }, { lr: 1, alpha: 0.75, eps: 1, biasCorrection: true });
    expect(optimizer.report().w!.medianLr).toBe(1);
    for (let i = 0; i < 3; i++) {
      optimizer.grads.w![0] = 3;
      optimizer.step();
      expect(optimizer.report().w!.medianLr).toBe(0.25);
    }
  });

  it("changes nothing, and keeps every view alive", () => {
    const optimizer = make(
      { a: [31], b: [5] },
      { momentum: 0.9, centered: true, clipNorm: 1, ema: { decay: 0.9 } },
    );
    train(optimizer, 3);
    const { memory, steps, gradNorm } = optimizer;
    const first = optimizer.params.a!;
    const before = new Uint8Array(memory.buffer).slice();
    const report = optimizer.report();
    expect(optimizer.report()).toEqual(report);

    const after = new Uint8Array(memory.buffer);
    expect(first.length).toBe(31);
    expect(after.length).toBe(before.length);
    expect(after.subarray(first.byteOffset)).toEqual(before.subarray(first.byteOffset));
    expect(after.subarray(0, 1024)).toEqual(before.subarray(0, 1024));
    expect([optimizer.steps, optimizer.gradNorm]).toEqual([steps, gradNorm]);
  });

  it("works after the memory has grown, but not on gradients that were lost with it", () => {
    const optimizer = make({ w: [100] });
    train(optimizer, 2);
    const before = optimizer.report();
    optimizer.memory.grow(1);
    expect(() => optimizer.report()).toThrow(StaleViewError);
    expect(optimizer.grads.w!.length).toBe(100);
    expect(optimizer.report()).toEqual(before);
    optimizer.groups[0].momentum = 0.9;
    optimizer.grads.w!.fill(1);
    expect(optimizer.report().w!.updateRms).toBe(0);
  });

  it("keeps names apart that mean something else to JavaScript", () => {
    const names = ["__proto__", "constructor", "toString"];
    const report = make(Object.fromEntries(names.map((name) => [name, [2]]))).report();
    expect(Object.keys(report)).toEqual(names);
    for (const name of names) expect(report[name]!.zeroGradShare).toBe(1);
  });

  it("prints as a table, a row to a tensor and a column to a figure", () => {
    const optimizer = make({ w1: [20, 3], b1: [3] }, { lr: 1e-3 });
    train(optimizer, 2);
    const report = optimizer.report();
    const rows = tableOf(report);
    expect(rows.map(([name]) => name)).toEqual(["(index)", "w1", "b1"]);
    expect(rows[0]!.slice(1)).toEqual(Object.keys(report.w1!));
    expect(rows[1]!.slice(1).map(Number)).toEqual(Object.values(report.w1!));
  });

  it("can't be had after dispose", () => {
    const optimizer = make({ w: [2] });
    optimizer.dispose();
    expect(() => optimizer.report()).toThrow(DisposedError);
  });
});

it.each(OPTIONS)("gives the same bits on both backends, with %j", (options) => {
  const reports = ENTRIES.map(({ make }) => {
    const optimizer = make({ a: [4097], b: [30], c: [1] }, options);
    train(optimizer, 5);
    optimizer.grads.b!.set([NaN, Infinity, -Infinity, 0, -0, 2 ** -149, 3e38]);
    optimizer.params.b!.set([NaN, -Infinity, -0, 2 ** -149, 3e38], 10);
    optimizer.state.b!.squareAvg.set([0, Infinity, NaN, 2 ** -149, 3e38, -1], 20);
    return optimizer.report();
  });
  expect(reports[1]).toEqual(reports[0]);
  expect(reports[2]).toEqual(reports[0]);
  expect(reports[0]!.b!.nonFinite).toBeGreaterThan(4);
});

/** The cells that `console.table` prints. */
function tableOf(data: object): string[][] {
  let printed = "";
  const stdout = new Writable({
    write(chunk, _, done) {
      printed += chunk;
      done();
    },
  });
  new Console({ stdout, colorMode: false }).table(data);
  return printed
    .split("\n")
    .filter((line) => line.startsWith("│"))
    .map((line) =>
      line
        .split("│")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
