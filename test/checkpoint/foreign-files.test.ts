/** Files that others have written: without our metadata, with other elements than float32. */
import { RMSprop } from "rmsprop-wasm";
import { carriedTensors, load, restore, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { f32, fileOf, step, tensor } from "../support/tensor-files.ts";

/** A file such as others make it, with nothing but tensors. */
const plainFile = (metadata?: Record<string, string>) =>
  fileOf(
    {
      "a.w": f32(1, 2),
      b: f32(3),
      "state.a.w.square_avg": f32(4, 5),
      "state.b.square_avg": f32(6),
      "state.a.w.step": step(7),
      "state.b.step": step(7),
    },
    metadata,
  );

describe("a file of somebody else", () => {
  it("has tensors alone: the optimizer keeps its hyperparameters", () => {
    const optimizer = new RMSprop([
      { params: { b: [1] }, lr: 3 },
      { params: { "a.w": [2] }, eps: 0.5 },
    ]);
    restore(optimizer, plainFile());
    expect(optimizer.groups.map(({ lr, eps }) => [lr, eps])).toEqual([
      [3, 1e-8],
      [0.01, 0.5],
    ]);
    expect([...optimizer.params["a.w"], ...optimizer.params.b]).toEqual([1, 2, 3]);
    expect([...optimizer.state["a.w"].squareAvg, ...optimizer.state.b.squareAvg]).toEqual([4, 5, 6]);
    expect(optimizer.steps).toBe(7);
  });

  it("gives an optimizer of one group with the options", () => {
    const optimizer = load(plainFile(), { lr: 0.125 });
    expect(optimizer.stateDict()).toMatchObject({
      steps: 7,
      skippedSteps: 0,
      groups: [{ lr: 0.125, alpha: 0.99, params: ["a.w", "b"] }],
      tensors: { "a.w": { shape: [2] }, b: { shape: [1] } },
    });
  });

  it("has hyperparameters that PyTorch knows: parameters with the same are a group", () => {
    const metadata = Object.fromEntries(
      Object.entries({ "a.w": { lr: 0.5, alpha: 0.75, foreach: null }, b: { alpha: 0.75, lr: 0.5 } }).flatMap(
        ([name, values]) =>
          Object.entries(values).map(([key, value]) => [
            `param_groups.${name}.${key}`,
            JSON.stringify(value),
          ]),
      ),
    );
    expect(load(plainFile(metadata)).stateDict().groups).toMatchObject([
      { lr: 0.5, alpha: 0.75, eps: 1e-8, params: ["a.w", "b"] },
    ]);
    const apart = load(plainFile({ ...metadata, "param_groups.b.lr": "0.25" }), { eps: 1 });
    expect(apart.stateDict().groups).toMatchObject([
      { lr: 0.5, eps: 1, params: ["a.w"] },
      { lr: 0.25, eps: 1, params: ["b"] },
    ]);
    const optimizer = new RMSprop({ b: [1], "a.w": [2] }, { eps: 2 });
    restore(optimizer, plainFile(metadata));
    expect({ ...optimizer.groups[0] }).toMatchObject({ lr: 0.5, alpha: 0.75, eps: 2 });
  });

  it("has a parameter without elements, which travels along", () => {
    const empty = { dtype: "F32", shape: [0], bytes: new Uint8Array(0) };
    const names = ["w", "e"];
    const metadata = Object.fromEntries(names.map((name) => [`param_groups.${name}.lr`, "0.5"]));
    const tensors = { w: f32(1), "state.w.square_avg": f32(4), "state.w.step": step(7), e: empty };
    const state = { "state.e.square_avg": empty, "state.e.step": step(7) };
    const optimizer = load(fileOf({ ...tensors, ...state }, metadata));
    expect(optimizer.groups.map(({ lr }) => lr)).toEqual([0.5]);
    expect(Object.keys(optimizer.params)).toEqual(["w"]);
    expect(optimizer.steps).toBe(7);
    expect([...carriedTensors(optimizer)].map(([name, { shape }]) => [name, shape])).toEqual([["e", [0]]]);
    expect([...carriedTensors(load(save(optimizer))).keys()]).toEqual(["e"]);
  });

  // By IEEE 754, and for BF16 the upper halves of float32: one, the largest, the smallest normal and denormal ones.
  it.each([
    ["F16", Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x3555, 0x8000)],
    ["BF16", Uint16Array.of(0x3f80, 0xc000, 0x7f7f, 0x0080, 0x0001, 0x807f, 0x3eab, 0x8000)],
    ["F64", Float64Array.of(1, -2, 0.1, 1 + 2 ** -24 + 2 ** -50, 2 ** -149, 1e30, -(2 ** -151), -0)],
    ["F32", Float32Array.of(1, -2, 0.1, 2 ** -149, 2 ** 127, Infinity, -0, 0)],
  ] as const)("has elements of %s", (dtype, elements) => {
    const expected = {
      F16: [1, -2, 65504, 2 ** -14, 2 ** -24, -1023 * 2 ** -24, 0.333251953125, -0],
      BF16: [1, -2, 255 * 2 ** 120, 2 ** -126, 2 ** -133, -127 * 2 ** -133, 0.333984375, -0],
      F64: [...elements].map(Math.fround),
      F32: [...elements],
    }[dtype];
    const one = {
      F16: Uint16Array.of(0x4500),
      BF16: Uint16Array.of(0x40a0),
      F64: Float64Array.of(5),
      F32: Float32Array.of(5),
    };
    const file = fileOf({
      pad: { dtype: "F16", shape: [1], bytes: new Uint8Array(2) },
      w: tensor(dtype, elements),
      "state.w.square_avg": tensor(dtype, elements),
      "state.w.step": tensor(dtype, one[dtype], []),
      "state.pad.square_avg": { dtype: "F16", shape: [1], bytes: new Uint8Array(2) },
      "state.pad.step": step(5),
    });
    const restored = new RMSprop({ pad: [1], w: [8] });
    restore(restored, file);
    for (const optimizer of [restored, load<"pad" | "w">(file)]) {
      expect([...optimizer.params.w]).toEqual(expected);
      // An infinite average would stay so, and its element would never move again.
      const largest = (2 - 2 ** -23) * 2 ** 127;
      expect([...optimizer.state.w.squareAvg]).toEqual(expected.map((value) => Math.min(value, largest)));
      expect(optimizer.steps).toBe(5);
    }
  });

  it("has NaN and infinities as what they are", () => {
    const special = Uint16Array.of(0x7c00, 0xfc00, 0x7e00, 0x7f80, 0xff80, 0x7fc0);
    const bytes = (at: number) => new Uint8Array(special.buffer, at, 6);
    const file = fileOf({
      a: { dtype: "F16", shape: [3], bytes: bytes(0) },
      b: { dtype: "BF16", shape: [3], bytes: bytes(6) },
      "state.a.square_avg": f32(0, 0, 0),
      "state.b.square_avg": f32(0, 0, 0),
      "state.a.step": step(0),
      "state.b.step": step(0),
    });
    const { params } = load(file);
    expect([...params.a!, ...params.b!]).toEqual([Infinity, -Infinity, NaN, Infinity, -Infinity, NaN]);
  });
});
