/** The writer keeps the reader's limits, so that `load` reads all that `save` writes; and messages stay short. */
import {
  CheckpointError,
  MemoryError,
  OptionError,
  type Params,
  RMSprop,
  type RMSpropError,
} from "rmsprop-wasm";
import {
  carriedTensors,
  load,
  loadChunks,
  restore,
  restoreLeRobot,
  save,
  saveChunks,
  saveLeRobot,
} from "rmsprop-wasm/checkpoint";
import { describe, expect, it, vi } from "vitest";
import { CASES } from "../support/malformed-files.ts";
import { expectSame, snapshot } from "../support/runs.ts";
import { f32, fileOf, split, step, withHeader } from "../support/tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

describe("a header", () => {
  const LIMIT = 100_000_000;
  const trained = { w: f32(1), "state.w.square_avg": f32(2), "state.w.step": step(3) };

  /** An optimizer whose file carries an empty tensor with a name of `length` letters. */
  function carrying(length: number) {
    const optimizer = new RMSprop({ w: [1] });
    const empty = { dtype: "I8", shape: [0], bytes: new Uint8Array(0) };
    restore(optimizer, fileOf({ ...trained, ["n".repeat(length)]: empty }));
    return optimizer;
  }
  const headerBytes = (file: Uint8Array) => Number(Buffer.from(file).readBigUInt64LE(0));

  it("of 100 MB is written and read; one of eight bytes more is refused by both", () => {
    // The name stands in the header, and in the list of what is carried. Its length is padded to a multiple of eight.
    const short = headerBytes(save(carrying(1000)));
    const length = 1000 + (LIMIT - short) / 2;
    const file = save(carrying(length));
    expect(headerBytes(file)).toBe(LIMIT);
    const loaded = load(file);
    expect([...carriedTensors(loaded).keys()].map((name) => name.length)).toEqual([length]);
    const larger = carrying(length + 4);
    for (const write of [save, (one: RMSprop<Params>) => [...saveChunks(one)]]) {
      expect(() => write(larger)).toThrow(CheckpointError);
      expect(() => write(larger)).toThrow(
        `The file's header would take ${LIMIT + 8} bytes, and files may have at most ${LIMIT}`,
      );
    }
    const { json, data } = split(file);
    expect(() => load(withHeader(`${json} `, data))).toThrow(`a header of ${LIMIT + 1} bytes`);
  });
});

describe("counts of steps", () => {
  const most = 2 ** 31 - 1;
  const at = (steps: number) => {
    const optimizer = new RMSprop({ w: [1] }, { biasCorrection: true });
    optimizer.loadStateDict({ ...optimizer.stateDict(), steps });
    return optimizer;
  };

  it("end at 2 ** 31 - 1: the step beyond is refused, and changes nothing", () => {
    const optimizer = at(most - 1);
    optimizer.grads.w[0] = 1;
    expect(optimizer.step()).toBe(true);
    expect(optimizer.steps).toBe(most);
    const before = snapshot(optimizer);
    expect(() => optimizer.step()).toThrow(OptionError);
    expect(() => optimizer.step({ shard: { index: 0, count: 2 } })).toThrow(`${most} steps were taken`);
    expect(snapshot(optimizer)).toEqual(before);
    const saved = save(optimizer);
    expect(load(saved).steps).toBe(most);
    optimizer.groups[0].biasCorrection = false;
    const other = new RMSprop({ w: [1] });
    restoreLeRobot(other, saveLeRobot(optimizer));
    expect(other.steps).toBe(most);
  });

  it("are counted with other threads up to there, too", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 9, shared: true });
    const optimizer = new RMSprop({ w: [1] }, { memory });
    optimizer.loadStateDict({ ...optimizer.stateDict(), steps: most });
    const other = RMSprop.attach(optimizer.handle);
    expect(other.steps).toBe(most);
    for (const one of [optimizer, other]) expect(() => one.step()).toThrow(OptionError);
    expect([optimizer.steps, other.steps]).toEqual([most, most]);
  });

  it.each([most + 1, 2 ** 32, 2 ** 53, -1, 0.5, NaN, Infinity])(
    "of %d are refused in every file",
    (steps) => {
      const optimizer = at(7);
      const before = snapshot(optimizer);
      expect(() => optimizer.loadStateDict({ ...optimizer.stateDict(), steps })).toThrow(CheckpointError);
      const count = { dtype: "F64", shape: [], bytes: new Uint8Array(Float64Array.of(steps).buffer) };
      const file = fileOf({ w: f32(1), "state.w.square_avg": f32(2), "state.w.step": count });
      expect(() => restore(optimizer, file)).toThrow("steps of the state: got");
      expect(() => load(file)).toThrow("expected a whole number below 2 ** 31");
      const state = fileOf({ "state/0/square_avg": f32(2), "state/0/step": count });
      const files = {
        "optimizer_state.safetensors": state,
        "optimizer_param_groups.json": '[{"params":[0]}]',
      };
      expect(() => restoreLeRobot(optimizer, files)).toThrow("steps of the state: got");
      expect(snapshot(optimizer)).toEqual(before);
    },
  );
});

describe("what the constructor takes", () => {
  it("has no holes in its shapes", () => {
    // biome-ignore lint/suspicious/noSparseArray: a hole is what this test is about
    for (const shape of [[2, , 3], [,], Object.assign([2, 3], { length: 3 }), [2, undefined]]) {
      expect(() => new RMSprop({ w: shape as number[] })).toThrow(
        "expected a shape of whole numbers above 0",
      );
    }
  });

  it("may be a view that follows its buffer's length: what is saved is what was there", () => {
    const Resizable = ArrayBuffer as Bad;
    const buffer = new Resizable(8, { maxByteLength: 64 });
    const values = new Float32Array(buffer);
    values.set([1, 2]);
    const optimizer = new RMSprop({ w: values });
    const dict = { ...optimizer.stateDict() };
    (dict.tensors.w as Bad).param = values;
    buffer.resize(16);
    expect(() => optimizer.loadStateDict(dict)).toThrow("w.param.length of the state: got 4, expected 2");
    buffer.resize(8);
    optimizer.loadStateDict(dict);
    buffer.resize(64);
    expect([...load<"w">(save(optimizer)).params.w]).toEqual([1, 2]);
    const bytes = new Resizable(save(optimizer).length, { maxByteLength: 9999 });
    new Uint8Array(bytes).set(save(optimizer));
    expectSame(save(load(bytes)), save(optimizer));
    expectSame(save(load(new Uint8Array(bytes))), save(optimizer));
  });
});

describe("messages", () => {
  const long = "n".repeat(3_000_000);
  const escaped = "\0".repeat(1_000_000);
  const files: [string, Uint8Array][] = [
    ...CASES.map(([why, file]): [string, Uint8Array] => [why, file]),
    ["a long name", fileOf({ [long]: f32(1), [`state.${long}.square_avg`]: f32(1, 2) })],
    ["a long name of escapes", fileOf({ [escaped]: { ...f32(1), dtype: escaped } })],
    ["a long dtype", fileOf({ w: { ...f32(1), dtype: long } })],
    ["a long shape", fileOf({ w: { ...f32(1), shape: Array(1e6).fill(2) } })],
    [
      "many groups",
      fileOf({ w: f32(1) }, { "rmsprop-wasm": JSON.stringify({ version: 1, groups: Array(1e6).fill(1) }) }),
    ],
    ["a long version", fileOf({ w: f32(1) }, { "rmsprop-wasm": JSON.stringify({ version: long }) })],
    [
      "long metadata",
      fileOf({ w: f32(1) }, { [`param_groups.${long}.lr`]: `"${long}"`, "rmsprop-wasm": long }),
    ],
    ["a long hyperparameter", fileOf({ w: f32(1) }, { "param_groups.w.lr": JSON.stringify(long) })],
    ["a long number", withHeader(`{"w":{"dtype":"F32","shape":[${"1".repeat(1e6)}]}}`, new Uint8Array(4))],
    ["a long string without an end", withHeader(`{"${long}`, new Uint8Array(4))],
    ["braces", withHeader(`{"w":[${"{},".repeat(1e5)}{}]}`, new Uint8Array(4))],
  ];

  it.each(files)("are shorter than 1 kB: %s", async (_, file) => {
    const optimizer = new RMSprop<Params>({ w: [1] });
    const groups = Buffer.from(file).toString("latin1");
    const errors = [
      () => load(file),
      () => restore(optimizer, file),
      () => loadChunks([file]),
      () =>
        restoreLeRobot(optimizer, {
          "optimizer_state.safetensors": file,
          "optimizer_param_groups.json": '[{"params":[0]}]',
        }),
      () =>
        restoreLeRobot(optimizer, {
          "optimizer_state.safetensors": save(optimizer),
          "optimizer_param_groups.json": groups,
        }),
    ].map(async (read) => {
      await read();
    });
    for (const result of await Promise.allSettled(errors)) {
      if (result.status === "fulfilled") continue;
      expect(result.reason.name).toMatch(/^(Checkpoint|Option)Error$/);
      expect(Buffer.byteLength((result.reason as RMSpropError).message)).toBeLessThan(1000);
    }
  });
});

describe("an engine without", () => {
  it.each(["TextDecoder", "TextEncoder"])("%s is told so", (name) => {
    const optimizer = new RMSprop({ w: [1] });
    const bytes = save(optimizer);
    vi.stubGlobal(name, undefined);
    let error: unknown;
    try {
      if (name === "TextDecoder") load(bytes);
      else save(optimizer);
    } catch (thrown) {
      error = thrown;
    } finally {
      vi.unstubAllGlobals();
    }
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(`This engine has no ${name}`);
  });

  it("room for the whole file is told of saveChunks", () => {
    const optimizer = new RMSprop({ w: [2 ** 10] });
    class Small extends Uint8Array {
      constructor(...args: ConstructorParameters<typeof Uint8Array>) {
        const [length] = args as unknown[];
        if ((length as number) > 2 ** 12) throw new RangeError("Array buffer allocation failed");
        super(...args);
      }
    }
    vi.stubGlobal("Uint8Array", Small);
    const failed = () => save(optimizer);
    try {
      expect(failed).toThrow(MemoryError);
      expect(failed).toThrow("use saveChunks");
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
