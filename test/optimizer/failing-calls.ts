/** Calls that fail on every optimizer of two groups: w of 2 × 3 and b of 5, e of 7 × 3. */
import { type Optimizer as Any, type Options, type RMSprop, RMSpropError } from "rmsprop-wasm";
import {
  load,
  loadChunks,
  restore,
  restoreLeRobot,
  save,
  saveChunks,
  saveLeRobot,
} from "rmsprop-wasm/checkpoint";
import { expect } from "vitest";

export type Optimizer = Any<Record<string, number[]>>;
export type Call = (optimizer: Optimizer, type: typeof RMSprop) => unknown;

const inherits = (values: object) => Object.create(values);
export const thrower = (): number => {
  throw new RangeError("the caller's own");
};
const dictOf = (optimizer: Optimizer, changes: object) => ({ ...optimizer.stateDict(), ...changes }) as never;
const spoilt = (optimizer: Optimizer, name: string, changes: object) => {
  const dict = optimizer.stateDict();
  return { ...dict, tensors: { ...dict.tensors, [name]: { ...dict.tensors[name], ...changes } } } as never;
};
export const anyOf = (value: unknown) => value as never;

/** The calls by their titles. */
export const ALWAYS: Record<string, Call> = {
  ...Object.fromEntries(
    [
      0.5,
      null,
      "step",
      [],
      new Map([["gradScale", 0.5]]),
      inherits({ gradScale: 2 }),
      new Float32Array(2),
    ].map((given): [string, Call] => [
      `step(${String(given)}) of ${typeof given}`,
      (o) => o.step(anyOf(given)),
    ]),
  ),
  "step({ lr })": (o) => o.step(anyOf({ lr: 0.1 })),
  "step({ w: gradient })": (o) => o.step(anyOf({ w: new Float32Array(6) })),
  "step({ gradScale: NaN })": (o) => o.step({ gradScale: NaN }),
  "step({ gradScale: '1' })": (o) => o.step(anyOf({ gradScale: "1" })),
  "step({ gradScale }) beyond float32": (o) => o.step({ gradScale: 1e39 }),
  "step({ zeroGrad: 1 })": (o) => o.step(anyOf({ zeroGrad: 1 })),
  "step({ shard }) out of range": (o) => o.step({ shard: { index: 2, count: 2 } }),
  "step({ shard }) that is inherited": (o) => o.step({ shard: inherits({ index: 0, count: 1 }) }),
  "step({ rows }) that is inherited": (o) => o.step({ rows: inherits({ e: [0] }) }),
  "step({ shard: null })": (o) => o.step(anyOf({ shard: null })),
  "step({ gradNorm: -1 })": (o) => o.step({ gradNorm: -1 }),
  "step({ rows: 3 })": (o) => o.step(anyOf({ rows: 3 })),
  "step({ rows: null })": (o) => o.step(anyOf({ rows: null })),
  "step({ rows: Map })": (o) => o.step(anyOf({ rows: new Map([["e", [0]]]) })),
  "step({ rows: array })": (o) => o.step(anyOf({ rows: [0] })),
  "step({ rows }) of an unknown name": (o) => o.step({ rows: { nope: [0] } }),
  "step({ rows }) of a flat tensor": (o) => o.step({ rows: { b: [0] } }),
  "step({ rows }) out of range": (o) => o.step({ rows: { e: [0, 7] } }),
  "step({ rows }) with a fraction": (o) => o.step({ rows: { e: [0.5] } }),
  "step({ rows }) with a negative one": (o) => o.step({ rows: { e: [-1] } }),
  "step({ rows }) with null": (o) => o.step(anyOf({ rows: { e: null } })),
  "step({ rows }) with a number": (o) => o.step(anyOf({ rows: { e: 3 } })),
  "step({ rows }) at an address outside": (o) => o.step({ rows: { e: { ptr: 2 ** 31, count: 4 } } }),
  "step({ rows }) at an odd address": (o) => o.step({ rows: { e: { ptr: 3, count: 1 } } }),
  "step({ rows }), the second table's bad": (o) => o.step({ rows: { w: [0], e: [9] } }),
  "catchUp(0)": (o) => o.catchUp(anyOf(0)),
  "catchUp(null)": (o) => o.catchUp(anyOf(null)),
  "catchUp('e')": (o) => o.catchUp(anyOf("e")),
  "catchUp(array)": (o) => o.catchUp(anyOf([0])),
  "catchUp(Map)": (o) => o.catchUp(anyOf(new Map([["e", [0]]]))),
  "catchUp() of an unknown name": (o) => o.catchUp({ nope: [0] }),
  "catchUp() out of range": (o) => o.catchUp({ e: [7] }),
  "catchUp() of a flat tensor": (o) => o.catchUp({ b: [0] }),
  "shareRanges()": (o) => o.shareRanges(anyOf(undefined)),
  "shareRanges() out of range": (o) => o.shareRanges({ index: 1, count: 1 }),
  handle: (o) => o.handle,
  "attach(undefined)": (_, type) => type.attach(anyOf(undefined)),
  "attach({})": (_, type) => type.attach(anyOf({})),
  "swapEma()": (o) => o.swapEma(),
  "eval()": (o) => o.eval(),
  "train()": (o) => o.train(),
  JSON: (o) => JSON.stringify(o),
  "loadStateDict()": (o) => o.loadStateDict(anyOf(undefined)),
  "loadStateDict(null)": (o) => o.loadStateDict(anyOf(null)),
  "loadStateDict(bytes)": (o) => o.loadStateDict(anyOf(save(o))),
  "loadStateDict() of another version": (o) => o.loadStateDict(dictOf(o, { version: 2 })),
  "loadStateDict() with steps of -1": (o) => o.loadStateDict(dictOf(o, { steps: -1 })),
  "loadStateDict() with too many steps": (o) => o.loadStateDict(dictOf(o, { steps: 2 ** 31 })),
  "loadStateDict() with half a skipped step": (o) => o.loadStateDict(dictOf(o, { skippedSteps: 0.5 })),
  "loadStateDict() with one group": (o) =>
    o.loadStateDict(dictOf(o, { groups: o.stateDict().groups.slice(1) })),
  "loadStateDict() without groups": (o) => o.loadStateDict(dictOf(o, { groups: undefined })),
  "loadStateDict() with a null for a group": (o) => o.loadStateDict(dictOf(o, { groups: [null, null] })),
  "loadStateDict() with a bad second group": (o) => {
    const [first, second] = o.stateDict().groups;
    o.loadStateDict(
      dictOf(o, {
        groups: [
          { ...first, momentum: 0.5 },
          { ...second, alpha: 2 },
        ],
      }),
    );
  },
  "loadStateDict() with an unknown hyperparameter": (o) => {
    const [first, second] = o.stateDict().groups;
    o.loadStateDict(dictOf(o, { groups: [first, { ...second, beta: 2 }] }));
  },
  "loadStateDict() without tensors": (o) => o.loadStateDict(dictOf(o, { tensors: undefined })),
  "loadStateDict() with a tensor too few": (o) => {
    const { e, ...tensors } = o.stateDict().tensors;
    o.loadStateDict(dictOf(o, { tensors }));
  },
  "loadStateDict() with another shape": (o) => o.loadStateDict(spoilt(o, "e", { shape: [3, 7] })),
  "loadStateDict() with numbers in an array": (o) =>
    o.loadStateDict(spoilt(o, "e", { squareAvg: Array(21).fill(1) })),
  "loadStateDict() with a number": (o) => o.loadStateDict(spoilt(o, "e", { squareAvg: 21 })),
  "loadStateDict() with an array too short": (o) =>
    o.loadStateDict(spoilt(o, "e", { param: new Float32Array(20) })),
  "loadStateDict() with a plane too many": (o) =>
    o.loadStateDict(spoilt(o, "e", { ema: new Float32Array(21) })),
  "loadStateDict() with counts of rows from the future": (o) =>
    o.loadStateDict(spoilt(o, "e", { rowSteps: new Uint32Array(7).fill(99) })),
  "loadStateDict() with counts of rows of another type": (o) =>
    o.loadStateDict(spoilt(o, "e", { rowSteps: new Float32Array(7) })),
  "loadStateDict() with counts of rows for a flat tensor": (o) =>
    o.loadStateDict(spoilt(o, "b", { rowSteps: new Uint32Array(5) })),
  "lr = -1": (o) => {
    o.lr = -1;
  },
  "lr = NaN": (o) => {
    o.lr = NaN;
  },
  "lr = undefined": (o) => {
    o.lr = anyOf(undefined);
  },
  "lr = '0.1'": (o) => {
    o.lr = anyOf("0.1");
  },
  "lr beyond float32": (o) => {
    o.lr = 1e39;
  },
  ...Object.fromEntries(
    Object.entries({
      lr: -1,
      alpha: 1.5,
      eps: 0,
      epsInsideSqrt: 1,
      weightDecay: -1,
      decoupledWeightDecay: "no",
      momentum: 2,
      lrInMomentum: 0,
      nesterov: 1,
      centered: null,
      biasCorrection: 1,
      initialSquareAvg: 1,
      clipValue: 0,
      clipNorm: -1,
      maximize: 1,
      sparse: "some",
      learningRate: 0.1,
      beta: 1,
    }).map(([name, value]): [string, Call] => [
      `groups[1].${name} = ${value}`,
      (o) => {
        (o.groups[1] as unknown as Record<string, unknown>)[name] = value;
      },
    ]),
  ),
  "groups[0] = …": (o) => {
    (o.groups as unknown as unknown[])[0] = {};
  },
  "groups.push": (o) => (o.groups as unknown as unknown[]).push({}),
  "groups.length = 0": (o) => {
    (o.groups as unknown as unknown[]).length = 0;
  },
  "params.w = …": (o) => {
    (o.params as Record<string, unknown>).w = new Float32Array(6);
  },
  "params.other = …": (o) => {
    (o.params as Record<string, unknown>).other = new Float32Array(6);
  },
  "state.w.squareAvg = …": (o) => {
    (o.state.w as unknown as Record<string, unknown>).squareAvg = new Float32Array(6);
  },
  ...Object.fromEntries(
    [
      "params",
      "grads",
      "state",
      "ema",
      "groups",
      "steps",
      "skippedSteps",
      "gradNorm",
      "memory",
      "backend",
      "threads",
      "momentum",
      "learningRate",
    ].map((name): [string, Call] => [
      `${name} = 1`,
      (o) => {
        (o as unknown as Record<string, unknown>)[name] = 1;
      },
    ]),
  ),
  "restore() of a text": (o) => restore(o, anyOf("file")),
  "restore() of nothing": (o) => restore(o, anyOf(undefined)),
  "restore() of a file cut short": (o) => restore(o, save(o).slice(0, -1)),
  "restore() of a header cut short": (o) => restore(o, save(o).slice(0, 20)),
  "restore() of another optimizer's": (o, Type) => restore(o, save(new Type({ x: [3] }))),
  "restore() into nothing": (o) => restore(anyOf({}), save(o)),
  "restoreLeRobot() of nothing": (o) => restoreLeRobot(o, anyOf(undefined)),
  "restoreLeRobot() of a file too few": (o) => {
    const files = Object.entries(saveLeRobot(o));
    restoreLeRobot(o, Object.fromEntries(files.slice(1)) as never);
  },
  "save() of nothing": () => save(anyOf(undefined)),
  "saveChunks() of nothing": () => [...saveChunks(anyOf({}))],
  "load() with a Map of options": (o) => load(save(o), anyOf(new Map())),
  "load() with null for options": (o) => load(save(o), anyOf(null)),
  "load() with inherited options": (o) => load(save(o), inherits({ lr: 1 })),
  "load() with a bad option": (o) => load(save(o), { momentum: 2 }),
  "load() with an unknown option": (o) => load(save(o), anyOf({ learningRate: 1 })),
  "load() of a file cut short": (o) => load(save(o).slice(0, -1)),
  "load() into its memory, which is too small": (o) => load(save(o), { memory: o.memory, allocate: () => 0 }),
  "loadChunks() with a Map of options": (o) => loadChunks(saveChunks(o), anyOf(new Map())),
  "loadChunks() with null for options": (o) => loadChunks(saveChunks(o), anyOf(null)),
  "loadChunks() of a text": () => loadChunks(anyOf("file")),
  "loadChunks() of nothing": () => loadChunks(anyOf(undefined)),
  "loadChunks() of pieces that aren't bytes": () => loadChunks(anyOf([[1, 2, 3]])),
  "new RMSprop() in its memory, where nothing is free": (o, Type) =>
    new Type({ x: [2 ** 29] }, { memory: o.memory }),
  ...Object.fromEntries(
    Object.entries({
      options: inherits({ lr: 1 }),
      ema: { ema: inherits({ decay: 0.5 }) },
      scheduleFree: { scheduleFree: inherits({ beta: 0.5 }) },
      "scheduleFree as a Map": { scheduleFree: new Map() },
    }).map(([name, options]): [string, Call] => [
      `new RMSprop() with inherited ${name}`,
      (_, Type) => new Type({ x: [4] }, options as Options),
    ]),
  ),
  "new RMSprop() over its parameters": (o, Type) =>
    new Type(
      { x: [4], y: { param: o.params.w!.byteOffset, grad: o.grads.w!.byteOffset + 2, count: 4 } },
      { memory: o.memory },
    ),
};

/** Makes a call that must fail: by an error of the package or, where its title says that something throws, the thrower's own. */
export async function expectToFail(title: string, call: () => unknown): Promise<void> {
  const error = await (async () => call())().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (title.includes("throws")) expect(error).toEqual(new RangeError("the caller's own"));
  else expect(error).toBeInstanceOf(RMSpropError);
  expect((error as Error).message.length).toBeLessThan(1000);
}
