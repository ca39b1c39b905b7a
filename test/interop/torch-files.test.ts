/** Files between this package and PyTorch's side: what else is in them, bad use, and the reference's judgement. */
import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { type Params, RMSprop } from "rmsprop-wasm";
import { carriedTensors, load, restore, save } from "rmsprop-wasm/checkpoint";
import { expect, it } from "vitest";
import { openFile } from "../../src/checkpoint/safetensors.ts";
import { mutatedFile } from "../soak/files.ts";
import { describeWith } from "../support/required.ts";
import { train } from "../support/runs.ts";
import { f32, fileOf, split } from "../support/tensor-files.ts";
import { at, required, run } from "./python.ts";

const hexOf = (values: ArrayBufferView) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");

type Normed = {
  before: Record<string, string>;
  after: Record<string, string>;
  groups: Record<string, unknown>[];
};
const trainNormed = (keywords: Record<string, unknown>) =>
  run("pytorch_jobs.py", [["train_normed", keywords]])[0] as Normed;

const BUFFERS = ["norm.num_batches_tracked", "norm.running_mean", "norm.running_var"];
const FROZEN = ["frozen.bias", "frozen.weight"];

describeWith(required("torch", "safetensors", "numpy"), "PyTorch's script", () => {
  it("carries buffers and frozen layers there and back, through load and through restore", () => {
    const { after } = trainNormed({ target: at("normed") });
    const loaded = load(readFileSync(at("normed")));
    expect(Object.keys(loaded.params).sort()).toEqual([
      "first.bias",
      "first.weight",
      "norm.bias",
      "norm.weight",
    ]);
    const carried = carriedTensors(loaded);
    expect([...carried.keys()].sort()).toEqual([...FROZEN, ...BUFFERS]);
    for (const [name, { bytes }] of carried) expect(hexOf(bytes), name).toBe(after[name]);
    expect(carried.get("norm.num_batches_tracked")).toMatchObject({ dtype: "I64", shape: [] });

    const shapes = Object.entries(loaded.stateDict().tensors).map(([name, { shape }]) => [name, shape]);
    const restored = new RMSprop(Object.fromEntries(shapes) as Record<string, number[]>);
    restore(restored, readFileSync(at("normed")));
    for (const optimizer of [loaded, restored]) {
      writeFileSync(at("normed-back"), save(optimizer));
      const back = trainNormed({ source: at("normed-back"), target: at("normed-on") });
      expect(back.before).toEqual(after);
      expect(back.after["norm.running_mean"]).not.toBe(after["norm.running_mean"]);
      expect(back.after["frozen.weight"]).toBe(after["frozen.weight"]);
      expect([...carriedTensors(load(readFileSync(at("normed-on")))).keys()].sort()).toEqual([
        ...FROZEN,
        ...BUFFERS,
      ]);
    }
  });

  it("carries the keys of schedulers there and back", () => {
    const { groups } = trainNormed({ target: at("scheduled"), schedule: true });
    expect(Object.keys(groups[0]!)).toContain("max_lr");
    writeFileSync(at("scheduled-back"), save(load(readFileSync(at("scheduled")))));
    const back = trainNormed({ source: at("scheduled-back"), target: at("scheduled-on") });
    expect(back.groups).toMatchObject(groups);
  });

  it("takes the optimizers of named_parameters(), 2,000 of them, and keeps the old file's mode and a link to it", () => {
    writeFileSync(at("named"), "old", { mode: 0o600 });
    symlinkSync(at("named"), at("named-link"));
    run("pytorch_jobs.py", [["save_named", { target: at("named-link"), count: 2000 }]]);
    expect(lstatSync(at("named-link")).isSymbolicLink()).toBe(true);
    expect(statSync(at("named")).mode & 0o777).toBe(0o600);
    const file = readFileSync(at("named"));
    expect(split(file).json.length).toBeLessThan(2000 * 2500);
    const loaded = load(file);
    expect(Object.keys(loaded.params)).toHaveLength(2000);
    expect(loaded.groups.map(({ lr }) => lr)).toEqual([0.5]);
  });

  it("says what is wrong, and changes nothing", () => {
    trainNormed({ target: at("sound") });
    mkdirSync(at("failures"));
    const [said] = run("pytorch_jobs.py", [["failures", { folder: at("failures"), file: at("sound") }]]);
    expect(said).toEqual({
      adam: "TypeError: the optimizer is of Adam, expected a torch.optim.RMSprop",
      "other module":
        "ValueError: the optimizer trains a tensor of shape (4, 3) that isn't a parameter of the module",
      weights: expect.stringContaining("has no metadata of rmsprop-wasm: it holds weights alone, or another"),
      newer: expect.stringContaining("newer.safetensors is of version 2, expected 1"),
      reshaped: "ValueError: norm.bias has shape (9,), expected (4,)",
      other:
        "ValueError: the file trains parameters that the module lacks: first.bias, first.weight, norm.bias, norm.weight (4 in all)",
      changed: false,
    });
  });

  it("gives weights alone, from which load begins anew", () => {
    const weights = readFileSync(at("failures/weights.safetensors"));
    const optimizer = load(weights, { lr: 0.125, momentum: 0.5 });
    expect(Object.keys(optimizer.params).sort()).toEqual(
      ["first.bias", "first.weight", ...FROZEN, "norm.bias", "norm.weight"].sort(),
    );
    expect([...carriedTensors(optimizer).keys()].sort()).toEqual(BUFFERS);
    expect(optimizer.steps).toBe(0);
    const { json, data } = split(weights);
    for (const [name, values] of Object.entries(optimizer.params)) {
      const [begin, end] = JSON.parse(json)[name].data_offsets;
      expect(hexOf(values)).toBe(data.toString("hex", begin, end));
      expect(optimizer.state[name]!.squareAvg.every((value) => value === 0)).toBe(true);
    }
  });
});

describeWith(required("torch", "safetensors", "numpy"), "the safetensors library", () => {
  const judge = (files: readonly Uint8Array[]) =>
    run("pytorch_jobs.py", [
      ["judge", { files: files.map((file) => Buffer.from(file).toString("base64")) }],
    ])[0] as (string | Record<string, [string, number[], string]>)[];

  it("reads whatever save writes", () => {
    const name = fc
      .string({ unit: "binary", minLength: 1, maxLength: 12 })
      .filter((text) => !/\p{Surrogate}/u.test(text));
    const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
    const made = fc.record({
      shapes: fc.dictionary(name, shape, { minKeys: 1, maxKeys: 6 }),
      momentum: fc.constantFrom(0, 0.9),
      centered: fc.boolean(),
      steps: fc.nat(3),
    });
    const optimizers = fc.sample(made, { numRuns: 200, seed: 1 }).map(({ shapes, steps, ...options }) => {
      const optimizer = new RMSprop<Params>(shapes, options);
      train(optimizer, 0, steps);
      return optimizer;
    });
    const judged = judge(optimizers.map((optimizer) => save(optimizer)));
    optimizers.forEach((optimizer, i) => {
      for (const [name, { shape, param }] of Object.entries(optimizer.stateDict().tensors)) {
        expect((judged[i] as Record<string, unknown>)[name]).toEqual(["F32", shape, hexOf(param)]);
      }
    });
  });

  it("judges mutated files as this package does", () => {
    const files = Array.from({ length: 4000 }, (_, seed) => mutatedFile(seed).bytes);
    const judged = judge(files);
    let read = 0;
    files.forEach((file, seed) => {
      const theirs = judged[seed]!;
      try {
        const { header } = openFile(file);
        const found = header.entries.map(({ name, dtype, shape, begin, end }) => [
          name,
          [dtype.name, shape, file.toString("hex", begin, end)],
        ]);
        expect(Object.fromEntries(found), `file of seed ${seed}`).toEqual(theirs);
        read++;
      } catch (error) {
        // Where the library reads on: a key that comes twice.
        const message = `${(error as Error).message} (seed ${seed}, ${JSON.stringify(theirs).slice(0, 200)})`;
        if (typeof theirs !== "string") expect(message).toMatch(/twice/);
      }
    });
    expect(read).toBeGreaterThan(1000);
  });
});

describeWith(required("keras", "torch", "safetensors"), "Keras' script", () => {
  it("carries variables that aren't trained there and back", () => {
    const job = (keywords: Record<string, unknown>) =>
      run("keras_jobs.py", [["train_normed", keywords]])[0] as Normed;
    const { after } = job({ target: at("keras-normed") });
    const loaded = load(readFileSync(at("keras-normed")));
    const averages = ["net/norm/moving_mean", "net/norm/moving_variance"];
    expect([...carriedTensors(loaded).keys()].sort()).toEqual(averages);
    writeFileSync(at("keras-normed-back"), save(loaded));
    const back = job({ source: at("keras-normed-back"), target: at("keras-normed-on") });
    expect(back.before).toEqual(after);
    expect(back.after[averages[0]!]).not.toBe(after[averages[0]!]);
  });

  it("says what is wrong", () => {
    const weights = at("keras-weights");
    writeFileSync(weights, fileOf({ "net/dense/kernel": f32(1) }));
    expect(run("keras_jobs.py", [["failures", { weights, target: at("none") }]])[0]).toEqual([
      "TypeError: the optimizer is of Adam, expected a keras.optimizers.RMSprop",
      expect.stringContaining("has no metadata of rmsprop-wasm: it holds weights alone"),
    ]);
  });
});
