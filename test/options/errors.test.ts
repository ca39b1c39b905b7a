/** Bad input gets an error of its own class that names the value, and changes nothing. */

import * as api from "rmsprop-wasm";
import { MemoryError, OptionError, ParameterError, RMSpropError } from "rmsprop-wasm";
import { instantiate, type TensorPtrs } from "rmsprop-wasm/core";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what these tests are about
type Bad = any;

const BAD_VALUES: [name: string, value: unknown, shown: string][] = [
  ["lr", -1, "-1"],
  ["lr", NaN, "NaN"],
  ["lr", Infinity, "Infinity"],
  ["lr", 1e39, "1e+39"],
  ["lr", "0.1", '"0.1"'],
  ["lr", null, "null"],
  ["alpha", -0.1, "-0.1"],
  ["alpha", 1.5, "1.5"],
  ["alpha", NaN, "NaN"],
  ["eps", 0, "0"],
  ["eps", -1e-8, "-1e-8"],
  ["eps", 1e-50, "1e-50"],
  ["eps", Infinity, "Infinity"],
  ["weightDecay", -1e-3, "-0.001"],
  ["weightDecay", NaN, "NaN"],
  ["momentum", -0.5, "-0.5"],
  ["momentum", 1.01, "1.01"],
  ["momentum", true, "true"],
  ["centered", 1, "1"],
  ["centered", "yes", '"yes"'],
  ["maximize", 0, "0"],
];

const BAD_PARAMS: [why: string, params: unknown, message: RegExp][] = [
  ["nothing at all", undefined, /params: got undefined, expected a record/],
  ["an empty record", {}, /expected a record of at least one tensor/],
  ["no group", [], /params: got \[\], expected a record of at least one tensor/],
  ["a group that is none", [null], /Group 0: got null, expected { params/],
  ["a group without params", [{ lr: 1 }], /params of group 0: got undefined/],
  ["an array for a record", new Float32Array(2), /got a Float32Array, expected a record/],
  ["an empty name", { "": [2] }, /name is empty/],
  ["a name in two groups", [{ params: { w: [1] } }, { params: { w: [2] } }], /"w" stands in two groups/],
  ["a dimension of zero", { w: [3, 0] }, /"w": got \[3, 0\], expected a shape/],
  ["a negative dimension", { w: [-3] }, /"w": got \[-3\].*look like values/],
  ["a broken dimension", { w: [1.5] }, /"w": got \[1.5\]/],
  ["a dimension of NaN", { w: [NaN] }, /"w": got \[NaN\]/],
  ["a number for a shape", { w: 10 }, /"w": got 10, expected a shape.*initial values.*a Float32Array/],
  ["null for a shape", { w: null }, /"w": got null/],
  ["whole numbers", { w: new Int32Array(2) }, /"w": got an Int32Array/],
  ["no initial values", { w: new Float32Array(0) }, /"w": got a Float32Array of length 0/],
];

describe.each(ENTRIES)("$entry", ({ make }) => {
  it.each(BAD_VALUES)("refuses %s: %s in options, groups and assignments", (name, value, shown) => {
    const message = new RegExp(`${name}: got ${shown.replace(/[+.]/g, "\\$&")}, expected .*default`);
    expect(() => make({ w: [2] }, { [name]: value } as Bad)).toThrow(OptionError);
    expect(() => make({ w: [2] }, { [name]: value } as Bad)).toThrow(message);
    expect(() => make([{ params: { w: [2] }, [name]: value } as Bad])).toThrow(message);

    const optimizer = make({ w: Float32Array.of(1, 2) });
    optimizer.grads.w.fill(1);
    const before = { ...optimizer.groups[0] };
    expect(() => Object.assign(optimizer.groups[0], { [name]: value })).toThrow(message);
    expect({ ...optimizer.groups[0] }).toEqual(before);
    expect([...optimizer.params.w]).toEqual([1, 2]);
    optimizer.step();
    expect(optimizer.state.w.squareAvg[0]).toBe(Math.fround(0.01));
  });

  it.each([
    ["momentun", "momentum"],
    ["Lr", "lr"],
    ["learningRate", "lr"],
    ["learning_rate", "lr"],
    ["stepSize", "lr"],
    ["rho", "alpha"],
    ["beta", "alpha"],
    ["gamma", "alpha"],
    ["decay", "alpha"],
    ["decayRate", "alpha"],
    ["decay_rate", "alpha"],
    ["l2", "weightDecay"],
    ["mu", "momentum"],
    ["epsilon", "eps"],
    ["weight_decay", "weightDecay"],
    ["LR", "lr"],
    ["schedule", "lr"],
    ["aplha", "alpha"],
  ])("names the nearest to unknown option %s: %s", (unknown, nearest) => {
    const message = new RegExp(`[Uu]nknown option "${unknown}".*"${nearest}"`);
    expect(() => make({ w: [2] }, { [unknown]: 1 } as Bad)).toThrow(OptionError);
    expect(() => make({ w: [2] }, { [unknown]: 1 } as Bad)).toThrow(message);
    expect(() => make([{ params: { w: [2] }, [unknown]: 1 } as Bad])).toThrow(message);
    const group = make({ w: [2] }).groups[0];
    expect(() => Object.assign(group, { [unknown]: 1 })).toThrow(message);
    expect(unknown in group).toBe(false);
  });

  // Far names mislead.
  it.each(["betas", "dtype", "toString", "__proto__", "😀".repeat(9)])(
    "guesses nothing for %s",
    (unknown) => {
      const options = JSON.parse(`{ "${unknown}": 1 }`);
      const message = `Unknown option "${unknown}". Known are lr, alpha, `;
      expect(() => make({ w: [2] }, options)).toThrow(message);
      expect(() => Object.assign(make({ w: [2] }), { zzz: 1 })).toThrow(
        'An optimizer has no "zzz" to assign: keep it in an object of your own.',
      );
    },
  );

  // The optimizer has members of some names, which say themselves that they can't be assigned.
  const whole: Record<Exclude<keyof api.Options, keyof api.Hyperparameters>, unknown> = {
    globalClipNorm: 1,
    nonFinite: "skip",
    scheduleFree: true,
    allocate: () => 0,
    ema: { decay: 0.9 },
    memory: {},
    backend: "js",
    threads: 2,
  };
  const ofStep: Record<keyof api.StepOptions, unknown> = {
    gradScale: 2,
    shard: { index: 0, count: 1 },
    rows: {},
    zeroGrad: true,
    gradNorm: 1,
  };
  it.each<[place: string, wrong: string[], options: Bad]>([
    ["the constructor's options", ["group", "assigned", "step"], whole],
    [
      "the constructor's options",
      ["optimizer"],
      { globalClipNorm: 1, nonFinite: "skip", scheduleFree: true, allocate: () => 0, nonfinite: "skip" },
    ],
    ["step()", ["constructor", "group", "assigned"], ofStep],
    ["step()", ["optimizer"], { gradScale: 2, shard: { index: 0, count: 1 }, rows: {} }],
    [
      "scheduleFree",
      ["constructor", "group", "assigned", "step", "optimizer"],
      { warmupSteps: 3, weightLrPower: 1 },
    ],
  ])("says of an option in a wrong place that it goes into %s: from %j", (place, wrong, options) => {
    for (const [name, value] of Object.entries(options)) {
      const optimizer = make({ w: [2] });
      const given = { [name]: value } as Bad;
      const calls: Record<string, () => unknown> = {
        constructor: () => make({ w: [2] }, given),
        group: () => make([{ params: { w: [2] }, ...given }]),
        assigned: () => Object.assign(optimizer.groups[0], given),
        step: () => optimizer.step(given),
        optimizer: () => Object.assign(optimizer, given),
      };
      for (const from of wrong) {
        const meant = name === "nonfinite" ? "nonFinite" : name;
        expect(calls[from], `${name}, ${from}`).toThrow(OptionError);
        expect(calls[from], `${name}, ${from}`).toThrow(`"${name}"`);
        expect(calls[from], `${name}, ${from}`).toThrow(`${meant} goes into ${place}.`);
      }
      expect(optimizer.steps).toBe(0);
    }
  });

  it("takes undefined for an option left out", () => {
    expect(make({ w: [2] }, { lr: undefined } as Bad).groups[0].lr).toBe(0.01);
  });

  it("lets no hyperparameter be deleted or redefined", () => {
    const group = make({ w: [2] }).groups[0];
    expect(() => delete (group as Bad).lr).toThrow(OptionError);
    expect(() => Object.defineProperty(group, "lr", { value: -1 })).toThrow(OptionError);
    expect(group.lr).toBe(0.01);
  });

  it("lets no view be replaced, which the optimizer would never read", () => {
    const { params, grads } = make({ w: [2] });
    expect(() => Object.assign(grads, { w: new Float32Array(2) })).toThrow(ParameterError);
    expect(() => Object.assign(params, { b: new Float32Array(2) })).toThrow(ParameterError);
  });

  it.each(BAD_PARAMS)("refuses %s", (_, params, message) => {
    expect(() => make(params as Bad)).toThrow(ParameterError);
    expect(() => make(params as Bad)).toThrow(message);
  });
});

it("refuses options that are no object, and an unknown backend", () => {
  const { RMSprop } = api;
  expect(() => new RMSprop({ w: [2] }, 0.01 as Bad)).toThrow(/options: got 0.01, expected an object/);
  expect(() => new RMSprop({ w: [2] }, null as Bad)).toThrow(/options: got null, expected an object/);
  expect(() => new RMSprop({ w: [2] }, { backend: "gpu" as Bad })).toThrow(
    /backend: got "gpu", expected "wasm" or "js"/,
  );
});

// `shown` is the text of the message after "got".
it.each<[name: string, value: unknown, shown: string]>([
  ["ema", null, "null"],
  ["ema", 0.9, "0.9"],
  ["ema", {}, "{ }"],
  ["ema", { decay: 1.5 }, "{ decay: 1.5 }"],
  ["ema", { decay: 0.9, warmup: 10 }, "{ decay: 0.9, warmup: 10 }"],
  ["memory", new ArrayBuffer(65536), "an ArrayBuffer"],
  ["allocate", 4096, "4096"],
  ["threads", 0, "0"],
  ["threads", 65, "65"],
  ["threads", 1.5, "1.5"],
  ["threads", "2", '"2"'],
])("refuses an optimizer's %s: %o", (name, value, shown) => {
  const make = () => new api.RMSprop({ w: [2] }, { [name]: value } as Bad);
  expect(make).toThrow(OptionError);
  expect(make).toThrow(new RegExp(`${name}: got ${shown}.*, expected`, "s"));
});

it.each<[name: string, value: unknown]>([
  ["lr", 0],
  ["alpha", 0],
  ["alpha", 1],
  ["momentum", 1],
  ["weightDecay", 0],
  ["initialSquareAvg", 0],
  ["ema", { decay: 0 }],
  ["ema", { decay: 1 }],
  ["threads", 1],
  ["threads", 64],
])("takes the bound itself as %s: %o", (name, value) => {
  const optimizer = new api.RMSprop({ w: Float32Array.of(1, 2) }, { [name]: value } as Bad);
  if (name in optimizer.groups[0]) expect((optimizer.groups[0] as Bad)[name]).toBe(value);
  optimizer.step();
  expect([...optimizer.params.w]).toEqual([1, 2]);
  optimizer.dispose();
});

it('"rmsprop-wasm/js" can\'t be made to run WebAssembly', async () => {
  const { RMSprop, BackendError } = await import("rmsprop-wasm/js");
  expect(() => new RMSprop({ w: [1] }, { backend: "wasm" })).toThrow(BackendError);
  expect(() => new RMSprop({ w: [1] }, { backend: "wasm" })).toThrow(/import "rmsprop-wasm"/);
});

it("names every error class after itself, under one root", () => {
  const classes = Object.values(api).filter((value) => (value as Bad).prototype instanceof Error);
  expect((classes as Bad[]).map(({ name }) => name).sort()).toEqual([
    "BackendError",
    "CheckpointError",
    "DisposedError",
    "MemoryError",
    "NonFiniteError",
    "OptionError",
    "ParameterError",
    "RMSpropError",
    "StaleViewError",
    "SwappedError",
    "ThreadError",
  ]);
  for (const Class of classes as Bad[]) {
    const error = new Class("why");
    expect(error).toBeInstanceOf(RMSpropError);
    expect(`${error}`).toBe(`${Class.name}: why`);
  }
});

describe("rmsprop-wasm/core", () => {
  const tensor: TensorPtrs = { param: 1024, grad: 2048, squareAvg: 3072, count: 100 };
  const all: TensorPtrs = { ...tensor, momentumBuffer: 4096, gradAvg: 5120 };

  const attempt = (bad: Partial<TensorPtrs>, hyperparameters: Bad = {}) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = new Float32Array(memory.buffer).fill(0.5);
    const before = heap.slice();
    let error: unknown;
    try {
      instantiate(memory).update({ ...all, ...bad }, hyperparameters);
    } catch (caught) {
      error = caught;
    }
    expect(heap).toEqual(before);
    return error as Error;
  };

  it.each<[Partial<TensorPtrs>, RegExp]>([
    [{ param: 1026 }, /param: got byte offset 1026, expected a multiple of 4/],
    [{ grad: -4 }, /grad: got byte offset -4, expected a multiple of 4 from 0 up/],
    [{ grad: 65_140 }, /grad: bytes 65140 to 65540 lie outside the memory of 65536 bytes/],
    [{ squareAvg: NaN }, /squareAvg: got byte offset NaN/],
    [{ squareAvg: "3072" as Bad }, /squareAvg: got byte offset "3072"/],
    [{ count: 1.5 }, /count: got 1.5, expected a whole number/],
    [{ count: -1 }, /count: got -1/],
    [{ grad: 1024 }, /overlaps/],
    [{ grad: 1420 }, /grad at byte 1420 overlaps param at byte 1024: they take 400 and 400 bytes/],
    [{ squareAvg: 2000 }, /squareAvg at byte 2000 overlaps grad at byte 2048/],
  ])("refuses %o", (bad, message) => {
    const error = attempt(bad);
    expect(error).toBeInstanceOf(MemoryError);
    expect(error.message).toMatch(message);
  });

  it("refuses hyperparameters whose state has no place", () => {
    expect(attempt({ momentumBuffer: undefined as Bad }, { momentum: 0.9 }).message).toMatch(
      /momentumBuffer: got undefined/,
    );
    expect(attempt({ gradAvg: undefined as Bad }, { centered: true })).toBeInstanceOf(OptionError);
  });

  it("refuses hyperparameters out of range or unknown", () => {
    expect(attempt({}, { lr: -1 }).message).toMatch(/lr: got -1/);
    expect(attempt({}, { mometum: 0.9 }).message).toMatch(/"momentum"/);
  });

  it("ignores the place of state that isn't used", () => {
    const { update } = instantiate(new WebAssembly.Memory({ initial: 1 }));
    expect(() => update({ ...tensor, momentumBuffer: -1, gradAvg: 1024 })).not.toThrow();
  });

  it("updates up to the last byte, and nothing for a count of 0", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { update } = instantiate(memory);
    update({ param: 65_136, grad: 64_000, squareAvg: 0, count: 100 });
    update({ param: 65_536, grad: 65_536, squareAvg: 65_536, count: 0 });
  });
});
