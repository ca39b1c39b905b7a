/** State dicts that are none, or of another optimizer: each is an error, and nothing changes. */
import {
  CheckpointError,
  DisposedError,
  MemoryError,
  OptionError,
  RMSprop,
  type StateDict,
  SwappedError,
} from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { exactly, snapshot, train } from "../support/runs.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

describe("what isn't one", () => {
  const options = { momentum: 0.9, centered: true, ema: { decay: 0.5 } };
  const make = () => {
    const optimizer = new RMSprop([{ params: { w: [2, 3], b: [2] } }, { params: { c: [1] } }], options);
    train(optimizer, 0, 3);
    return optimizer;
  };
  const good = () => structuredClone(make().stateDict()) as Bad;

  const changed = (change: (dict: Bad) => void) => (dict: Bad) => {
    change(dict);
    return dict;
  };

  const REFUSALS: [why: string, spoil: (dict: Bad) => Bad, message: string][] = [
    ["nothing", () => undefined, "The state: got undefined, expected what stateDict() gives"],
    ["null", () => null, "The state: got null, expected what stateDict() gives"],
    ["text", () => "state", 'The state: got "state", expected what stateDict() gives'],
    ["another version", (d) => ({ ...d, version: 2 }), "The state: got { version: 2, "],
    ["no steps", ({ steps, ...d }) => d, "steps of the state: got undefined"],
    ["negative steps", (d) => ({ ...d, steps: -1 }), "steps of the state: got -1"],
    ["half a step", (d) => ({ ...d, steps: 1.5 }), "steps of the state: got 1.5"],
    ["more steps than are counted", (d) => ({ ...d, steps: 2 ** 31 }), "steps of the state: got 2147483648"],
    ["steps in text", (d) => ({ ...d, steps: "3" }), 'steps of the state: got "3"'],
    ["NaN skipped", (d) => ({ ...d, skippedSteps: NaN }), "skippedSteps of the state: got NaN"],
    ["no groups", ({ groups, ...d }) => d, "groups.length of the state: got undefined, expected 2"],
    ["one group less", (d) => ({ ...d, groups: [d.groups[0]] }), "groups.length of the state: got 1"],
    ["a group that is none", (d) => ({ ...d, groups: [d.groups[0], null] }), "groups[1].params of the state"],
    [
      "groups in another order",
      (d) => ({ ...d, groups: d.groups.toReversed() }),
      'groups[0].params of the state: got ["c"], expected ["w", "b"]',
    ],
    [
      "another name",
      (d) => ({ ...d, groups: [d.groups[0], { ...d.groups[1], params: ["d"] }] }),
      'groups[1].params of the state: got ["d"], expected ["c"]',
    ],
    ["no tensors", ({ tensors, ...d }) => d, "w.shape of the state: got undefined, expected [2, 3]"],
    ["tensors that are null", (d) => ({ ...d, tensors: null }), "w.shape of the state"],
    [
      "a tensor less",
      changed((d) => {
        delete d.tensors.c;
      }),
      "c.shape of the state: got undefined, expected [1]",
    ],
    [
      "another shape",
      changed((d) => {
        d.tensors.w.shape = [3, 2];
      }),
      "w.shape of the state: got [3, 2]",
    ],
    [
      "as much, flat",
      changed((d) => {
        d.tensors.w.shape = [6];
      }),
      "w.shape of the state: got [6]",
    ],
    [
      "too few elements",
      changed((d) => {
        d.tensors.w.param = new Float32Array(5);
      }),
      "w.param.length of the state: got 5, expected 6",
    ],
    [
      "a double that is no float32",
      changed((d) => {
        d.tensors.b.param = Float64Array.of(0.1, 1e39);
      }),
      "b.param[1] of the state: got 1e+39, expected numbers that a float32 can hold",
    ],
    [
      "whole numbers",
      changed((d) => {
        d.tensors.b.squareAvg = new Int32Array(2);
      }),
      "b.squareAvg.length of the state: got an Int32Array, expected 2",
    ],
    [
      "a list",
      changed((d) => {
        d.tensors.b.param = [1, 2];
      }),
      "b.param.length of the state: got [1, 2], expected 2",
    ],
    [
      "no momentum",
      changed((d) => {
        delete d.tensors.c.momentumBuffer;
      }),
      "c.momentumBuffer.length of the state: got undefined, expected 1",
    ],
    [
      "no average",
      changed((d) => {
        delete d.tensors.b.ema;
      }),
      "b.ema.length of the state: got undefined, expected 2",
    ],
    [
      "momentum that isn't used",
      changed((d) => {
        d.groups[0].momentum = 0;
      }),
      "w.momentumBuffer.length of the state: got 6, expected none",
    ],
    [
      "gradients",
      changed((d) => {
        d.tensors.c.grad = new Float32Array(1);
      }),
      "c.grad.length of the state: got 1",
    ],
    [
      "a rate of NaN",
      changed((d) => {
        d.groups[1].lr = NaN;
      }),
      "lr: got NaN, expected a number from 0 up",
    ],
    [
      "a momentum of 2",
      changed((d) => {
        d.groups[1].momentum = 2;
      }),
      "momentum: got 2",
    ],
    [
      "nesterov alone",
      changed((d) => {
        d.groups[0].nesterov = true;
        d.groups[0].momentum = 0;
      }),
      "nesterov looks ahead",
    ],
    [
      "an unknown hyperparameter",
      changed((d) => {
        d.groups[1].beta = 1;
      }),
      'Unknown option "beta"',
    ],
  ];

  it.each(REFUSALS)("changes nothing: %s", (_, spoil, message) => {
    const optimizer = make();
    train(optimizer, 3, 5);
    const before = snapshot(optimizer);
    const { w } = optimizer.params;
    let error: unknown;
    try {
      optimizer.loadStateDict(spoil(good()));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(Error);
    expect([CheckpointError, OptionError].some((kind) => error instanceof kind)).toBe(true);
    expect((error as Error).message).toContain(message);
    expect(snapshot(optimizer)).toEqual(before);
    expect(optimizer.params.w).toBe(w);
  });

  it("is one with averages for an optimizer that keeps none", () => {
    const plain = new RMSprop({ w: [1] });
    const dict = new RMSprop({ w: [1] }, { ema: { decay: 0.5 } }).stateDict();
    expect(() => plain.loadStateDict(dict)).toThrow("w.ema.length of the state: got 1, expected none");
  });

  it("clips by two norms", () => {
    const optimizer = new RMSprop({ w: [1] }, { globalClipNorm: 1 });
    const dict = new RMSprop({ w: [1] }, { clipNorm: 1 }).stateDict();
    expect(() => optimizer.loadStateDict(dict)).toThrow("both scale the gradient");
  });

  it("needs more memory than there is: nothing changes, not even in the groups that had room", () => {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
    let top = 1024;
    const allocate = (bytes: number) => {
      const at = top;
      top += Math.ceil(bytes / 64) * 64;
      if (top > memory.buffer.byteLength) throw new MemoryError("full");
      return at;
    };
    const groups = () => [{ params: { a: [100] } }, { params: { b: [8100] } }];
    const optimizer = new RMSprop(groups(), { memory, allocate });
    train(optimizer, 0, 2);
    const before = snapshot(optimizer);
    const other = new RMSprop(groups(), { momentum: 0.9 });
    train(other, 0, 3);
    expect(() => optimizer.loadStateDict(other.stateDict())).toThrow("full");
    expect(snapshot(optimizer)).toEqual(before);
    const same = new RMSprop(groups());
    train(same, 0, 2);
    for (const one of [optimizer, same]) train(one, 2, 4);
    expect(exactly(optimizer.params.b)).toBe(exactly(same.params.b));
  });

  it("is asked for or given while the averages stand in for the parameters", () => {
    const optimizer = make();
    const dict: StateDict<Bad> = optimizer.stateDict();
    optimizer.swapEma();
    expect(() => optimizer.stateDict()).toThrow(SwappedError);
    expect(() => optimizer.loadStateDict(dict)).toThrow("call swapEma() first");
    optimizer.swapEma();
    expect(snapshot(optimizer)).toEqual(exactly(dict));
  });

  it("is of an optimizer that was disposed of", () => {
    const optimizer = make();
    const dict = optimizer.stateDict();
    optimizer.dispose();
    expect(() => optimizer.stateDict()).toThrow(DisposedError);
    expect(() => optimizer.loadStateDict(dict)).toThrow(DisposedError);
  });
});
