/** All that a file holds beside the optimizer's own: kept for the way back, and never in the way. */
import { CheckpointError, MemoryError, RMSprop } from "rmsprop-wasm";
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
import { describe, expect, it } from "vitest";
import { expectSame, snapshot } from "../support/runs.ts";
import { f32, fileOf, split, step, type Tensor, tensor } from "../support/tensor-files.ts";

const int64 = (value: bigint) => ({
  dtype: "I64",
  shape: [],
  bytes: new Uint8Array(BigInt64Array.of(value).buffer),
});

/** Batch norm's buffers, in types that aren't read, and an empty tensor. */
const others: Record<string, Tensor> = {
  "norm.num_batches_tracked": int64(2n ** 40n),
  "norm.running_mean": f32(1, 2),
  "norm.running_var": tensor("F16", Uint16Array.of(1, 2)),
  mask: { dtype: "F6_E2M3", shape: [4], bytes: Uint8Array.of(1, 2, 3) },
  nothing: { dtype: "BOOL", shape: [2, 0], bytes: new Uint8Array(0) },
};
const trained = {
  w: f32(1, 2),
  "state.w.square_avg": f32(3, 4),
  "state.w.step": step(5),
};
const foreign = fileOf({ ...others, ...trained });

const carriedOf = (optimizer: RMSprop<Record<string, number[]>>) =>
  Object.fromEntries(
    [...carriedTensors(optimizer)].map(([name, { dtype, shape, bytes }]) => [
      name,
      { dtype, shape, bytes: [...bytes] },
    ]),
  );
const expected = Object.fromEntries(
  Object.entries(others).map(([name, { dtype, shape, bytes }]) => [
    name,
    { dtype, shape, bytes: [...bytes] },
  ]),
);

type Optimizer = RMSprop<Record<string, number[]>>;
const restored = (file: Uint8Array): Optimizer => {
  const optimizer: Optimizer = new RMSprop({ w: [2] });
  restore(optimizer, file);
  return optimizer;
};
const ways: [string, (file: Uint8Array) => Optimizer | Promise<Optimizer>][] = [
  ["load", (file) => load(file)],
  ["loadChunks", (file) => loadChunks([file.subarray(0, 99), file.subarray(99)])],
  ["restore", restored],
];

describe.each(ways)("%s", (_, read) => {
  it("keeps tensors that aren't trained, and save writes them again", async () => {
    const optimizer = await read(foreign);
    expect(Object.keys(optimizer.params)).toEqual(["w"]);
    expect(carriedOf(optimizer)).toEqual(expected);
    const saved = save(optimizer);
    for (const [, again] of ways) {
      const back = await again(saved);
      expect(carriedOf(back)).toEqual(expected);
      expectSame(save(back), saved);
    }
    expectSame(Buffer.concat([...saveChunks(optimizer)]), saved);
  });

  it("keeps copies, which may be written", async () => {
    const file = Buffer.from(foreign);
    const optimizer = await read(file);
    file.fill(0);
    expect(carriedOf(optimizer)).toEqual(expected);
    carriedTensors(optimizer).get("norm.running_mean")!.bytes.set([7], 0);
    const [first] = carriedTensors(await read(save(optimizer))).get("norm.running_mean")!.bytes;
    expect(first).toBe(7);
  });

  it("keeps the keys of schedulers and users, each with its parameter's group", async () => {
    const record = { lr: 0.5, max_lr: 2, name: "all", betas: [0.5, { deep: null }], foreach: true };
    const metadata = Object.fromEntries(
      Object.entries(record).map(([key, value]) => [`param_groups.w.${key}`, JSON.stringify(value)]),
    );
    const optimizer = await read(fileOf(trained, metadata));
    expect(optimizer.groups[0].lr).toBe(0.5);
    const saved = save(optimizer);
    const back = JSON.parse(split(saved).json).__metadata__;
    for (const [key, json] of Object.entries(metadata))
      expect(JSON.parse(back[key])).toEqual(JSON.parse(json));
    expect(JSON.parse(back["rmsprop-wasm"]).carried).toEqual({
      tensors: [],
      keys: ["max_lr", "name", "betas"],
    });
    expectSame(save(await read(saved)), saved);
    const [group] = JSON.parse(saveLeRobot(optimizer)["optimizer_param_groups.json"]);
    expect(group).toMatchObject(record);
  });

  it("passes over metadata that mean something to others", async () => {
    const metadata = {
      format: "pt",
      modelspec: "{",
      "param_groups.": "x",
      "param_groups.w.odd": "no JSON",
      "param_groups.gone.lr": "7",
      "param_groups.w.param_names": "[1]",
    };
    const optimizer = await read(fileOf(trained, { ...metadata, "param_groups.w.lr": "0.5" }));
    expect(optimizer.groups[0].lr).toBe(0.5);
    const files = saveLeRobot(optimizer);
    expect(JSON.parse(files["optimizer_param_groups.json"])[0]).not.toHaveProperty("odd");
    restoreLeRobot(new RMSprop({ w: [2] }), files);
  });

  it("refuses in files of this package what they don't declare", async () => {
    const saved = save(await read(foreign));
    const { json, data } = split(saved);
    const undeclared = json.replace(String.raw`\"mask\",`, "").replace('"mask"', '"musk"');
    for (const [header, message] of [
      [json.replace('"mask"', '"musk"'), '"musk": the optimizer keeps nothing of this name'],
      [undeclared, '"musk": the optimizer keeps nothing of this name'],
    ] as const) {
      const file = Buffer.concat([saved.subarray(0, 8), Buffer.from(header), data]);
      file.writeBigUInt64LE(BigInt(header.length));
      const refused = async () => read(file);
      await expect(refused()).rejects.toThrow(CheckpointError);
      await expect(refused()).rejects.toThrow(message);
    }
  });
});

describe("carried tensors", () => {
  it("stay as they are when a file is refused, and are the next file's when one is restored", () => {
    const optimizer = restored(foreign);
    expect(() => restore(optimizer, foreign.subarray(0, -1))).toThrow(CheckpointError);
    expect(carriedOf(optimizer)).toEqual(expected);
    restore(optimizer, fileOf(trained));
    expect(carriedTensors(optimizer).size).toBe(0);
    expect(
      JSON.parse(JSON.parse(split(save(optimizer)).json).__metadata__["rmsprop-wasm"]),
    ).not.toHaveProperty("carried");
  });

  it("go to LeRobot's model and come back; without its file they stay", () => {
    const optimizer = restored(foreign);
    const files = saveLeRobot(optimizer);
    const other: Optimizer = new RMSprop({ w: [2] });
    restoreLeRobot(other, files);
    expect(carriedOf(other)).toEqual(expected);
    expect(snapshot(other)).toEqual(snapshot(optimizer));
    restoreLeRobot(other, { ...files, "model.safetensors": undefined });
    expect(carriedOf(other)).toEqual(expected);
  });

  it("can't be saved once their bytes were given away", () => {
    const optimizer = restored(foreign);
    const { bytes } = carriedTensors(optimizer).get("norm.running_mean")!;
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    for (const write of [save, saveLeRobot, (one: Optimizer) => [...saveChunks(one)]]) {
      expect(() => write(optimizer)).toThrow('"norm.running_mean": data_offsets is');
    }
  });

  it("take no memory that the file doesn't fill", async () => {
    const size = 2 ** 46;
    const header = JSON.stringify({
      w: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      "state.w.step": { dtype: "F32", shape: [], data_offsets: [4, 8] },
      "state.w.square_avg": { dtype: "F32", shape: [1], data_offsets: [8, 12] },
      huge: { dtype: "I8", shape: [size], data_offsets: [12, 12 + size] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = Buffer.concat([length, Buffer.from(header), Buffer.alloc(12)]);
    expect(() => load(file)).toThrow(CheckpointError);
    await expect(loadChunks([file])).rejects.toThrow(MemoryError);
  });
});

describe("load of files by others", () => {
  it("trains what has state, where some has, and carries the rest", () => {
    const optimizer = load(fileOf({ ...trained, embedding: f32(1), "state.b.square_avg": f32(1) }));
    expect(Object.keys(optimizer.params)).toEqual(["w"]);
    expect([...carriedTensors(optimizer).keys()]).toEqual(["embedding"]);
  });

  it("trains all of a file of weights alone, but for batch norm's averages", () => {
    const { nothing, mask, ...norm } = others;
    const weights = fileOf({ w: f32(1, 2), ...norm, running_mean: f32(7), "other.running_var": f32(8) });
    const optimizer = load(weights, { momentum: 0.5, centered: true, ema: { decay: 0.5 } });
    expect(Object.keys(optimizer.params).sort()).toEqual(["other.running_var", "running_mean", "w"]);
    expect([...carriedTensors(optimizer).keys()]).toEqual(Object.keys(norm));
    expect([...optimizer.params.w!, ...optimizer.ema.w!]).toEqual([1, 2, 1, 2]);
    const { squareAvg, momentumBuffer, gradAvg } = optimizer.state.w!;
    expect([...squareAvg, ...momentumBuffer!, ...gradAvg!]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(optimizer.steps).toBe(0);
    const bare = load(fileOf({ num_batches_tracked: int64(1n), running_mean: f32(7), w: f32(1) }));
    expect(Object.keys(bare.params)).toEqual(["w"]);
  });

  it("starts missing state at its beginning", () => {
    const metadata = { "param_groups.w.initial_square_avg": "1", "param_groups.b.initial_square_avg": "1" };
    const optimizer = load(fileOf({ ...trained, b: f32(6) }, metadata));
    expect([...optimizer.state.b!.squareAvg, ...optimizer.state.w!.squareAvg]).toEqual([1, 3, 4]);
    expect(optimizer.steps).toBe(5);
  });

  it("takes the largest of counts that differ, unless something depends on them", () => {
    const tensors = { ...trained, b: f32(6), "state.b.square_avg": f32(6), "state.b.step": step(2) };
    expect(load(fileOf(tensors)).steps).toBe(5);
    expect(() => load(fileOf(tensors), { biasCorrection: true })).toThrow(
      '"state.b.step" is 2 and "state.w.step" is 5: expected as many steps of all parameters',
    );
    const { "state.b.step": _, "state.b.square_avg": __, ...fresh } = tensors;
    const metadata = { "param_groups.w.lr": "1", "param_groups.b.lr": "1" };
    expect(load(fileOf(fresh, metadata)).steps).toBe(5);
    expect(() => load(fileOf(fresh, metadata), { biasCorrection: true })).toThrow(
      "Another parameter has no count",
    );
  });

  it("takes counts of steps in any type of numbers", () => {
    const counts: Record<string, ArrayBufferView & { length: number }> = {
      I8: Int8Array.of(5),
      U8: Uint8Array.of(5),
      I16: Int16Array.of(5),
      U16: Uint16Array.of(5),
      I32: Int32Array.of(5),
      U32: Uint32Array.of(5),
      I64: BigInt64Array.of(5n),
      U64: BigUint64Array.of(5n),
      F64: Float64Array.of(5),
    };
    for (const [dtype, count] of Object.entries(counts)) {
      const file = fileOf({ ...trained, "state.w.step": tensor(dtype, count, []) });
      expect([load(file).steps, restored(file).steps], dtype).toEqual([5, 5]);
    }
    const flag = fileOf({ ...trained, "state.w.step": tensor("BOOL", Uint8Array.of(1), []) });
    expect(() => load(flag)).toThrow('"state.w.step": dtype is BOOL, expected a number');
  });
});
