/** Averages of squares and weights from their first step on, and rates that follow the steps, on every entry and backend. */
import { OptionError, type Schedule, SwappedError } from "rmsprop-wasm";
import { instantiate } from "rmsprop-wasm/core";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";

describe.each(ALL_ENTRIES)("$entry", ({ make }) => {
  describe("ema", () => {
    it("takes the parameters at the first step, and averages from then on", () => {
      const optimizer = make({ w: Float32Array.of(8) }, { lr: 1, alpha: 0, eps: 1, ema: { decay: 0.75 } });
      optimizer.grads.w[0] = 1;
      const seen = [1, 2, 3].map(() => {
        optimizer.step();
        return [optimizer.params.w[0], optimizer.ema.w[0]];
      });
      expect(seen).toEqual([
        [7.5, 7.5],
        [7, 7.375],
        [6.5, 7.15625],
      ]);
    });

    // Elements are swapped 4096 at a time.
    it.each([37, 4095, 4096, 4097, 10_000])(
      "swaps %i elements in for evaluation and out again, with no step in between",
      (count) => {
        const optimizer = make({ a: [count], b: [5] }, { ema: { decay: 0.5 } });
        for (const step of [1, 2]) {
          for (const grad of Object.values(optimizer.grads))
            for (const i of grad.keys()) grad[i] = i - 7 * step;
          optimizer.step();
        }
        const [params, ema] = [optimizer.params.a.slice(), optimizer.ema.a.slice()];
        expect(params).not.toEqual(ema);
        expect(optimizer.swapEma()).toBe(true);
        expect([optimizer.params.a, optimizer.ema.a]).toEqual([ema, params]);
        expect(() => optimizer.step()).toThrow(SwappedError);
        expect(() => optimizer.step()).toThrow(/call swapEma\(\) first/);
        expect(optimizer.swapEma()).toBe(false);
        expect([optimizer.params.a, optimizer.ema.a]).toEqual([params, ema]);
        expect(optimizer.step()).toBe(true);
      },
    );

    it("isn't there when it wasn't asked for", () => {
      const optimizer = make({ w: [1] });
      expect(Object.keys(optimizer.ema)).toEqual([]);
      expect(() => optimizer.swapEma()).toThrow(OptionError);
    });
  });

  describe("a schedule of lr", () => {
    it("is asked for the rate by the number of steps taken", () => {
      const asked: number[] = [];
      const lr: Schedule = (step) => {
        asked.push(step);
        return 2 ** -step;
      };
      const optimizer = make({ w: [1] }, { lr, alpha: 0, eps: 1 });
      const deltas = [0, 1, 2].map(() => {
        optimizer.grads.w[0] = 1;
        const before = optimizer.params.w[0]!;
        optimizer.step();
        return before - optimizer.params.w[0]!;
      });
      expect(asked).toEqual([0, 1, 2]);
      expect(deltas).toEqual([0.5, 0.25, 0.125]);
    });

    it.each([NaN, -1, Infinity, "0.1", undefined])(
      "is an error where it gives %s, before anything changes",
      (value) => {
        const optimizer = make([{ params: { a: [1] } }, { params: { b: [1] }, lr: () => value as number }]);
        optimizer.grads.a[0] = 1;
        expect(() => optimizer.step()).toThrow(/lr: the schedule gave .* at step 0, expected a number/);
        expect([optimizer.params.a[0], optimizer.state.a.squareAvg[0], optimizer.steps]).toEqual([0, 0, 0]);
      },
    );
  });

  it("starts the average of squares where initialSquareAvg says, per group", () => {
    const optimizer = make([{ params: { a: [3] }, initialSquareAvg: 1 }, { params: { b: [2] } }]);
    expect([...optimizer.state.a.squareAvg, ...optimizer.state.b.squareAvg]).toEqual([1, 1, 1, 0, 0]);
    expect(() => Object.assign(optimizer.groups[0], { initialSquareAvg: 2 })).toThrow(
      /the averages have started/,
    );
  });

  it("corrects the bias by the step count, exactly as the average of a constant needs it", () => {
    const optimizer = make({ w: Float32Array.of(1) }, { lr: 0.25, alpha: 0.5, eps: 1, biasCorrection: true });
    for (let step = 0; step < 3; step++) {
      optimizer.grads.w[0] = 3;
      const before = optimizer.params.w[0]!;
      optimizer.step();
      // v / (1 − alpha^t) is 9 at each step.
      expect(before - optimizer.params.w[0]!).toBeCloseTo(0.1875, 6);
    }
  });
});

describe("rmsprop-wasm/core", () => {
  it("takes the step for schedules and bias correction", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = new Float32Array(memory.buffer);
    heap[512] = 1;
    const { update } = instantiate(memory);
    const tensor = { param: 1024, grad: 2048, squareAvg: 3072, count: 1 };
    update(tensor, { lr: (step) => step / 8, alpha: 0, eps: 1, step: 4 });
    expect(heap[256]).toBe(-0.25);
    expect(() => update(tensor, { step: -1 })).toThrow(/step: got -1/);
    expect(() => update(tensor, { clipNorm: 1 } as object)).toThrow(/Unknown option "clipNorm"/);
  });
});
