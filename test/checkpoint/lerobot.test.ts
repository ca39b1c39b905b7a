/** The layout of LeRobot. Its own functions read and write it in interop.test.ts. */
import { CheckpointError, dialects, RMSprop } from "rmsprop-wasm";
import { carriedTensors, load, restoreLeRobot, save, saveLeRobot } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { snapshot, train } from "../support/runs.ts";
import { f32, fileOf, split } from "../support/tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

describe("LeRobot's layout", () => {
  const make = () => {
    const optimizer = new RMSprop(
      [
        { params: { w: [2, 3] }, lr: 1 },
        { params: { b: [2], c: [1] }, centered: true, weightDecay: 0.5 },
      ],
      { momentum: 0.9, ema: { decay: 0.5 } },
    );
    train(optimizer, 0, 3);
    return optimizer;
  };

  it("has state by place, floats in its groups, and parameters by name", () => {
    const optimizer = make();
    const files = saveLeRobot(optimizer);
    const keys = (file?: Uint8Array) => Object.keys(JSON.parse(split(file!).json)).sort();
    const state = ["ema", "momentum_buffer", "square_avg", "step"];
    expect(keys(files["optimizer_state.safetensors"])).toEqual(
      [
        "__metadata__",
        ...state.map((key) => `state/0/${key}`),
        ...["grad_avg", ...state].flatMap((key) => [`state/1/${key}`, `state/2/${key}`]),
      ].sort(),
    );
    expect(keys(files["model.safetensors"])).toEqual(["__metadata__", "b", "c", "w"]);
    const groups = files["optimizer_param_groups.json"];
    const common = { momentum: 0.9, alpha: 0.99, eps: 1e-8, maximize: false };
    const forPyTorch = { capturable: false, foreach: null, differentiable: false };
    expect(JSON.parse(groups)).toEqual([
      { ...common, ...forPyTorch, lr: 1, centered: false, weight_decay: 0, params: [0] },
      { ...common, ...forPyTorch, lr: 0.01, centered: true, weight_decay: 0.5, params: [1, 2] },
    ]);
    expect(groups).toContain('"lr": 1.0, ');
    expect(groups).toContain('"weight_decay": 0.0, ');
  });

  it("goes on with the same bits", () => {
    const optimizer = make();
    const files = saveLeRobot(optimizer);
    const other = make();
    other.groups[0].lr = 3;
    train(other, 3, 6);
    restoreLeRobot(other, files);
    for (const one of [optimizer, other]) train(one, 3, 6);
    expect(snapshot(other)).toEqual(snapshot(optimizer));
  });

  it("leaves the parameters where there is no file of them", () => {
    const optimizer = make();
    const { "model.safetensors": _, ...files } = saveLeRobot(optimizer);
    const other = make();
    train(other, 3, 6);
    const w = other.params.w.slice();
    restoreLeRobot(other, files);
    expect(other.params.w).toEqual(w);
    expect(other.state.w.squareAvg).toEqual(optimizer.state.w.squareAvg);
    expect(other.steps).toBe(3);
  });

  it("has state of one shape for each parameter, also where there is no file of those", () => {
    const state = {
      "state/0/step": f32(3),
      "state/0/square_avg": f32(1, 2),
      "state/0/momentum_buffer": f32(1, 2, 3),
    };
    const files = {
      "optimizer_state.safetensors": fileOf(state),
      "optimizer_param_groups.json": '[{"params": [0], "momentum": 0.9}]',
    };
    expect(() => restoreLeRobot(new RMSprop({ w: [2] }, { momentum: 0.9 }), files)).toThrow(
      '"state/0/momentum_buffer": shape is [3], expected [2], as of "w".',
    );
  });

  it.each([
    ["{}", /^optimizer_param_groups\.json: got \{\}, expected a list of groups\.$/],
    ["[7, {}]", /^optimizer_param_groups\.json\[0\]: got 7, expected an object\.$/],
    ['[{"params": nope}]', /^optimizer_param_groups\.json is not JSON: unexpected "nope/],
    ['[{"params": [0]}]', /^optimizer_param_groups\.json\[0\]: got params .*, expected 2: w, b\.$/],
    ['[{"params": [0]}, {}]', /^optimizer_param_groups\.json: got 2 groups, expected a list of 1 groups\.$/],
    [
      '[{"params": [0, 1], "param_names": ["w", "x"]}]',
      /^optimizer_param_groups\.json\[0\]: got params .*, expected 2: w, b\.$/,
    ],
    ['[{"params": [0, 0]}]', /two parameters have one place, expected each place once\.$/],
    [
      '[{"params": [0, 1], "lr": [1]}]',
      /^optimizer_param_groups\.json\[0\]\.lr: got \[1\], expected a number, true or false\.$/,
    ],
  ])("has groups as PyTorch's: not %s", (groups, message) => {
    const optimizer = new RMSprop({ w: [2], b: [1] });
    const before = snapshot(optimizer);
    const files = { ...saveLeRobot(optimizer), "optimizer_param_groups.json": groups };
    expect(() => restoreLeRobot(optimizer, files)).toThrow(message);
    expect(snapshot(optimizer)).toEqual(before);
  });

  it("finds tensors by the names that PyTorch may have written", () => {
    const optimizer = new RMSprop({ a: [2], b: [2] });
    train(optimizer, 0, 2);
    const files = saveLeRobot(optimizer);
    const [group] = JSON.parse(files["optimizer_param_groups.json"]);
    const named = {
      ...files,
      "optimizer_param_groups.json": JSON.stringify([{ ...group, param_names: ["a", "b"] }]),
    };
    const other = new RMSprop({ b: [2], a: [2] });
    restoreLeRobot(other, named);
    for (const name of ["a", "b"] as const) {
      expect(other.params[name]).toEqual(optimizer.params[name]);
      expect(other.state[name]).toEqual(optimizer.state[name]);
    }
  });

  it("gives an optimizer that can be saved, whatever the model is called", () => {
    const optimizer = new RMSprop({ w: [1] });
    const model = fileOf({
      w: f32(1),
      "state.w.momentum_buffer": f32(2),
      "state.x.ema": f32(3),
      other: f32(4),
    });
    const group = '[{"params": [0], "max_lr": 1, "a.b": 2}]';
    restoreLeRobot(optimizer, {
      ...saveLeRobot(optimizer),
      "optimizer_param_groups.json": group,
      "model.safetensors": model,
    });
    expect([...carriedTensors(optimizer).keys()]).toEqual(["other"]);
    optimizer.groups[0].momentum = 0.5;
    const loaded = load(save(optimizer));
    expect([...carriedTensors(loaded).keys()]).toEqual(["other"]);
    expect(JSON.parse(saveLeRobot(loaded)["optimizer_param_groups.json"])[0]).toMatchObject({ max_lr: 1 });
  });

  it("has no place for what PyTorch doesn't compute", () => {
    const names = { ...dialects.keras, nesterov: true, momentum: 0.9, clipNorm: 1, biasCorrection: true };
    expect(() => saveLeRobot(new RMSprop({ w: [1] }, names))).toThrow(
      "has no epsInsideSqrt, decoupledWeightDecay, lrInMomentum, nesterov, biasCorrection, clipNorm",
    );
    expect(() => saveLeRobot(new RMSprop({ w: [1] }, { initialSquareAvg: 1 }))).not.toThrow();
    expect(() => saveLeRobot(new RMSprop({ w: [1] }, { scheduleFree: true }))).toThrow(
      "has no scheduleFree: leave",
    );
    expect(() => saveLeRobot(new RMSprop({ w: [1] }, { lr: "auto" }))).toThrow('has no lr: "auto": leave');
  });

  it.each(["exact", "lazy"] as const)("has rows of %s steps where dense steps go on from them", (sparse) => {
    const make = () => new RMSprop({ e: [3, 2] }, { sparse, momentum: sparse === "exact" ? 0.9 : 0 });
    const optimizer = make();
    optimizer.grads.e.fill(1);
    optimizer.step({ rows: { e: [0, 2] } });
    optimizer.step({ rows: { e: [0] } });
    if (sparse === "exact") {
      expect(() => saveLeRobot(optimizer)).toThrow('"e" has rows that are behind');
      optimizer.catchUp();
    }
    const files = saveLeRobot(optimizer);
    expect(split(files["optimizer_state.safetensors"]).json).not.toContain("row_steps");
    const restored = make();
    restoreLeRobot(restored, files);
    expect(restored.state.e.squareAvg).toEqual(optimizer.state.e.squareAvg);
    for (const each of [optimizer, restored]) {
      each.grads.e.fill(2);
      each.step();
    }
    expect(restored.params).toEqual(optimizer.params);
  });

  it.each([
    ["no JSON", { "optimizer_param_groups.json": "[" }, "optimizer_param_groups.json is not JSON"],
    ["a group less", { "optimizer_param_groups.json": "[]" }, "expected a list of 2 groups"],
    [
      "no groups",
      { "optimizer_param_groups.json": "[1, null]" },
      "optimizer_param_groups.json[0]: got 1, expected an object",
    ],
    [
      "a key twice",
      { "optimizer_param_groups.json": '[{"params": [0], "lr": 1, "lr": 2}, {"params": [1, 2]}]' },
      'optimizer_param_groups.json names "lr" twice',
    ],
    [
      "too many in a group",
      { "optimizer_param_groups.json": '[{"params": [0, 1]}, {"params": [2]}]' },
      "optimizer_param_groups.json[0]: got params [0, 1], expected 1: w",
    ],
    [
      "one place twice",
      { "optimizer_param_groups.json": '[{"params": [0]}, {"params": [1, 1]}]' },
      "optimizer_param_groups.json: two parameters have one place",
    ],
    ["no state", { "optimizer_state.safetensors": undefined }, "The file: got undefined, expected its bytes"],
    ["another model", { "model.safetensors": fileOf({ v: f32(1) }) }, '"w" is missing in the file'],
  ])("refuses %s, and changes nothing", (_, spoilt, message) => {
    const optimizer = make();
    const files = { ...saveLeRobot(optimizer), ...spoilt };
    train(optimizer, 3, 4);
    const before = snapshot(optimizer);
    expect(() => restoreLeRobot(optimizer, files as Bad)).toThrow(CheckpointError);
    expect(() => restoreLeRobot(optimizer, files as Bad)).toThrow(message);
    expect(snapshot(optimizer)).toEqual(before);
  });
});
