/** The members of an optimizer: assigned, taken out of it, behind a proxy. Nothing is silently ignored. */
import { OptionError, ParameterError, RMSprop } from "rmsprop-wasm";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { ENTRIES } from "../support/entries.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad use is what these tests are about
type Bad = any;

/** Runs a statement with `o`, in strict code and in sloppy code, which ignores assignments that can't be made. */
const MODES = ["", '"use strict"; '].map((prologue) => ({
  mode: prologue ? "strict" : "sloppy",
  run: (statement: string, o: unknown) => new Function("o", prologue + statement)(o) as unknown,
}));

describe.each(ENTRIES)("$entry", ({ make }) => {
  describe("lr", () => {
    it("reads as the rate of the next step, and is assigned to all groups", () => {
      const optimizer = make([{ params: { a: [1] } }, { params: { b: [1] } }], { lr: 0.5 });
      expect(optimizer.lr).toBe(0.5);
      optimizer.lr = 0.25;
      expect(optimizer.groups.map(({ lr }) => lr)).toEqual([0.25, 0.25]);
      optimizer.lr = (step) => 1 / (1 + step);
      expect([optimizer.lr, optimizer.groups[1]!.lr]).toEqual([1, 1]);
      optimizer.step();
      expect([optimizer.lr, optimizer.groups[1]!.lr]).toEqual([0.5, 0.5]);
      optimizer.groups[0].lr *= 2;
      expect({ ...optimizer.groups[0] }.lr).toBe(1);
    });

    it("holds from the next step", () => {
      const optimizer = make({ w: [1] }, { lr: 1, alpha: 0, eps: 1 });
      optimizer.grads.w[0] = 1;
      optimizer.lr = 2;
      optimizer.step();
      expect(optimizer.params.w[0]).toBe(-1);
    });

    it("names groups[i].lr where groups have rates of their own", () => {
      const optimizer = make([{ params: { a: [1] } }, { params: { b: [1] }, lr: 0.25 }], { lr: 0.5 });
      const message = "lr: the groups have rates of their own (0.5, 0.25): read and assign groups[i].lr.";
      expect(() => optimizer.lr).toThrow(new OptionError(message));
      expect(() => {
        optimizer.lr = 1;
      }).toThrow(message);
      expect(optimizer.groups.map(({ lr }) => lr)).toEqual([0.5, 0.25]);
    });

    it("is checked before any group takes it", () => {
      const optimizer = make([{ params: { a: [1] } }, { params: { b: [1] } }]);
      expect(() => {
        optimizer.lr = -1;
      }).toThrow(/Option lr: got -1/);
      expect(optimizer.lr).toBe(0.01);
    });

    it.each<[call: string, options: Bad, call: (o: Bad, dict: Bad) => unknown]>([
      ["step()", {}, (o) => o.step()],
      ["report()", {}, (o) => o.report()],
      ["lr", {}, (o) => o.lr],
      ["lr = 1", {}, (o) => Object.assign(o, { lr: 1 })],
      ["groups[0].lr", {}, (o) => o.groups[0].lr],
      ["groups[0].alpha = 0.5", {}, (o) => Object.assign(o.groups[0], { alpha: 0.5 })],
      ["groups[0].momentum = 0.9", {}, (o) => Object.assign(o.groups[0], { momentum: 0.9 })],
      ["zeroGrad()", {}, (o) => o.zeroGrad()],
      ["catchUp()", {}, (o) => o.catchUp()],
      ["stateDict()", {}, (o) => o.stateDict()],
      ["loadStateDict()", {}, (o, dict) => o.loadStateDict(dict)],
      ["swapEma()", { ema: { decay: 0.5 } }, (o) => o.swapEma()],
      ["eval()", { scheduleFree: true }, (o) => o.eval()],
      ["train()", { scheduleFree: true }, (o) => o.train()],
    ])("is no schedule that calls %s of its own optimizer", (_, options, call) => {
      let isArmed = false;
      const of = (rate: (self: Bad) => number) => {
        const optimizer: Bad = make({ w: Float32Array.of(1, 2) }, { ...options, lr: () => rate(optimizer) });
        return optimizer;
      };
      const plain = of(() => 0.1);
      const dict = plain.stateDict();
      const optimizer = of((self) => {
        if (isArmed) call(self, dict);
        return 0.1;
      });
      const step = () => {
        for (const one of [plain, optimizer]) {
          one.grads.w.fill(1);
          one.step();
        }
      };
      step();
      isArmed = true;
      optimizer.grads.w.fill(1);
      expect(() => optimizer.step()).toThrow(OptionError);
      expect(() => optimizer.step()).toThrow(/the schedule has called its optimizer\. It can only read/);
      isArmed = false;
      expect(optimizer.stateDict()).toEqual(plain.stateDict());
      step();
      expect(optimizer.stateDict()).toEqual(plain.stateDict());
    });
  });

  describe.each(MODES)("in $mode code", ({ run }) => {
    it.each<[statement: string, error: typeof OptionError | typeof ParameterError, message: RegExp]>([
      [
        "o.params = {}",
        OptionError,
        /optimizer.params can't be assigned: .*optimizer.params.w.set\(values\)/,
      ],
      ["o.grads = {}", OptionError, /optimizer.grads.w.set\(values\)/],
      ["o.state = {}", OptionError, /optimizer.state.w.squareAvg.set\(values\)/],
      ["o.groups = []", OptionError, /assign a hyperparameter, as optimizer.groups\[0\].lr = 1e-3/],
      ["o.steps = 0", OptionError, /loadStateDict\({ ...stateDict\(\), steps }\) sets it/],
      ["o.backend = 'js'", OptionError, /optimizer.backend can't be assigned/],
      ["o.threads = 2", OptionError, /optimizer.threads can't be assigned/],
      ["o.params.w = [1, 2]", ParameterError, /params.w can't be replaced.*params.w.set\(values\)/],
      ["o.grads.w = new Float32Array(2)", ParameterError, /grads.w can't be replaced.*grads.w.set\(values\)/],
      ["o.grads.v = [1]", ParameterError, /There is no grads.v: write to one of "w"/],
      ["o.state.w.squareAvg = [1]", ParameterError, /state.w.squareAvg can't be replaced/],
      ["o.state.w.momentumBuffer = [1]", ParameterError, /There is no state.w.momentumBuffer/],
      ["o.groups[0] = {}", OptionError, /optimizer.groups can't be assigned: .*groups\[0\].lr/],
      ["o.groups.lr = 0.1", OptionError, /optimizer.groups can't be assigned: .*groups\[0\].lr/],
      ["o.groups.push({})", OptionError, /optimizer.groups can't be assigned/],
      ["o.groups[0].learningRate = 1", OptionError, /did you mean "lr"/],
      ["delete o.groups[0].lr", OptionError, /can be assigned, not deleted/],
      ["o.learningRate = 1", OptionError, /no "learningRate" to assign: did you mean optimizer.lr\?/],
      ["o.alpha = 0.9", OptionError, /did you mean optimizer.groups\[0\].alpha\?/],
      ["o.momentun = 0.9", OptionError, /did you mean optimizer.groups\[0\].momentum\?/],
      ["o.nonFinite = 'skip'", OptionError, /nonFinite goes into the constructor's options/],
      ["Object.assign(o, { lrate: 1 })", OptionError, /no "lrate" to assign/],
    ])("%s says what to do", (statement, error, message) => {
      const optimizer = make({ w: [2] });
      optimizer.grads.w.fill(1);
      expect(() => run(statement, optimizer)).toThrow(error);
      expect(() => run(statement, optimizer)).toThrow(message);
      expect([...optimizer.grads.w, optimizer.groups.length, optimizer.lr]).toEqual([1, 1, 1, 0.01]);
    });
  });

  it("lets tools mark it by symbols, and subclasses have members and methods of their own", () => {
    const mark = Symbol("mark");
    const optimizer: Bad = make({ w: [1] });
    optimizer[mark] = 1;
    expect(optimizer[mark]).toBe(1);

    class Counting extends RMSprop<{ w: [1] }> {
      override step(): boolean {
        (this as Bad).calls = ((this as Bad).calls ?? 0) + 1;
        return super.step();
      }
    }
    const counting = new Counting({ w: [1] });
    counting.step();
    expect([(counting as Bad).calls, counting.steps]).toEqual([1, 1]);
  });

  it("gives methods that work without it", () => {
    const optimizer = make({ w: Float32Array.of(1) }, { lr: 0.5, alpha: 0, eps: 1 });
    const { step, zeroGrad, stateDict, loadStateDict, report, shareRanges, dispose } = optimizer;
    const before = stateDict();
    optimizer.grads.w[0] = 1;
    expect(step()).toBe(true);
    expect(optimizer.params.w[0]).toBe(0.75);
    expect(report().w.gradRms).toBe(1);
    zeroGrad();
    expect(optimizer.grads.w[0]).toBe(0);
    expect(shareRanges({ index: 0, count: 1 }).w).toEqual({ start: 0, end: 1 });
    loadStateDict(before);
    expect([optimizer.steps, optimizer.params.w[0]]).toEqual([0, 1]);
    dispose();
    expect(() => step()).toThrow(/was disposed of/);
  });

  it("works through a proxy, as frameworks of pages make them", () => {
    const optimizer = make({ w: Float32Array.of(1) }, { lr: 0.5, alpha: 0, eps: 1 });
    const proxy = new Proxy(optimizer, {});
    proxy.grads.w[0] = 1;
    expect(proxy.step()).toBe(true);
    expect([proxy.params.w[0], proxy.steps, proxy.backend]).toEqual([0.75, 1, optimizer.backend]);
    proxy.lr = 0.25;
    expect([proxy.lr, optimizer.lr]).toEqual([0.25, 0.25]);
    proxy.loadStateDict(proxy.stateDict());
    expect(() => {
      (proxy as Bad).learningRate = 1;
    }).toThrow(OptionError);
    expect(`${proxy}`).toBe(`${optimizer}`);
    expect(Object.create(optimizer).steps).toBe(1);
  });
});

it("keeps options to itself, wherever they came from or were handed out", () => {
  const ema = { decay: 0.5 };
  const optimizer = new RMSprop(
    { w: [1] },
    { ema, memory: new WebAssembly.Memory({ initial: 1, maximum: 9, shared: true }) },
  );
  ema.decay = 7;
  for (const { options } of [optimizer.stateDict(), optimizer.handle]) {
    (options!.ema as Bad).decay = 7;
  }
  (optimizer.handle.groups[0]!.tensors[0] as Bad).shape[0] = 7;
  expect(optimizer.stateDict().options!.ema).toEqual({ decay: 0.5 });
  expect(optimizer.stateDict().tensors.w.shape).toEqual([1]);
  optimizer.params.w[0] = 1;
  optimizer.step();
  optimizer.params.w[0] = 3;
  optimizer.step();
  expect(optimizer.ema.w[0]).toBe(2);
});

class Config {
  lr = 1;
}
it.each<[what: string, options: unknown, shown: string]>([
  ["a prototype's", Object.create({ lr: 1 }), "an Object"],
  ["a Map", new Map([["lr", 1]]), "a Map"],
  ["an array", [1], "[1]"],
  ["a class instance", new Config(), "a Config"],
  ["a number", 1e-3, "0.001"],
])("refuses options in %s, which would be ignored in part", (_, options, shown) => {
  const message = `got ${shown}, expected an object`;
  expect(() => new RMSprop({ w: [1] }, options as Bad)).toThrow(message);
  expect(() => new RMSprop({ w: [1] }).step(options as Bad)).toThrow(message);
  expect(() => RMSprop.attach({} as Bad, options as Bad)).toThrow(message);
  if (typeof options === "object" && !Array.isArray(options)) {
    const group = Object.assign(options as Bad, { params: { w: [1] } });
    expect(() => new RMSprop([group])).toThrow(`Group 0: got ${shown}, expected { params`);
  }
});

it("refuses misspelt options of attach", () => {
  expect(() => RMSprop.attach({} as Bad, { learningRate: 1 } as Bad)).toThrow(/did you mean "lr"/);
  const places = /"threads": threads goes into the constructor's options/;
  expect(() => RMSprop.attach({} as Bad, { threads: 2 } as Bad)).toThrow(places);
});

it.each<[given: unknown, message: RegExp]>([
  [[1, 2], /step: got \[1, 2\].*Gradients don't go here.*optimizer.grads.w.set\(values\)/],
  [1, /step: got 1, expected an object such as { gradScale: 0.5 }. Gradients don't/],
  [0.5, /step: got 0.5/],
  [null, /step: got null/],
  [() => 1, /step: got a function/],
  [new Float32Array(2), /step: got a Float32Array.*Gradients don't/],
  [{ w: new Float32Array(2) }, /Unknown option "w".*Gradients don't/],
  [{ lr: 0.1 }, /step takes no lr: assign optimizer.lr before it/],
  [{ alpha: 0.1 }, /assign optimizer.groups\[0\].alpha/],
  [{ gradscale: 0.1 }, /did you mean "gradScale"/],
])("says where gradients go for step(%o)", (given, message) => {
  const optimizer = new RMSprop({ w: [2] });
  expect(() => optimizer.step(given as Bad)).toThrow(OptionError);
  expect(() => optimizer.step(given as Bad)).toThrow(message);
  expect(optimizer.steps).toBe(0);
});

it("types lr as a number that takes a schedule", () => {
  const optimizer: RMSprop = new RMSprop({ w: [1] });
  expectTypeOf(optimizer.lr).toEqualTypeOf<number>();
  expectTypeOf(optimizer.groups[0].lr).toEqualTypeOf<number>();
  optimizer.lr = () => 1;
  expect(optimizer.lr).toBe(1);
});

it("takes the fakes of test frameworks in the place of its methods", () => {
  const optimizer = new RMSprop({ w: new Float32Array([1]) });
  const step = vi.spyOn(optimizer, "step");
  optimizer.step();
  expect(step).toHaveBeenCalledOnce();
  step.mockRestore();
  const zeroGrad = vi.fn();
  optimizer.zeroGrad = zeroGrad; // as jest's spies do
  optimizer.zeroGrad();
  expect(zeroGrad).toHaveBeenCalledOnce();
  expect(optimizer.step()).toBe(true);
  expect(optimizer.steps).toBe(2);
});
