/** The parameters of files by others, their records, and the words of a file of this package about itself. */
import { CheckpointError, RMSprop, RMSpropError } from "rmsprop-wasm";
import { carriedTensors, load, restore, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { snapshot, train } from "../support/runs.ts";
import { type Bad, changed, make, owned } from "../support/saved-file.ts";
import { f32, fileOf, split, step, type Tensor, tensor, withHeader } from "../support/tensor-files.ts";

/** The parameters and the other tensors that `load` makes of a file of these. */
function read(tensors: Record<string, Tensor>, metadata?: Record<string, string>) {
  const optimizer = load(fileOf(tensors, metadata));
  return { params: Object.keys(optimizer.params), carried: [...carriedTensors(optimizer).keys()], optimizer };
}
const empty: Tensor = { dtype: "F32", shape: [0], bytes: new Uint8Array(0) };

describe("parameters of a file of weights alone", () => {
  it("are all tensors of floats that have a name and elements", () => {
    const tensors = { w: f32(1), n: tensor("I32", Int32Array.of(1)), "": f32(2), e: empty, "conv.w": f32(3) };
    expect(read(tensors)).toMatchObject({ params: ["w", "conv.w"], carried: ["n", "", "e"] });
  });

  it("are no averages of batch norm, which stand beside a count of batches", () => {
    const count = tensor("I64", BigInt64Array.of(7n) as never);
    const tensors = {
      w: f32(1),
      running_mean: f32(2),
      num_batches_tracked: count,
      "bn.running_var": f32(3),
      "bn.num_batches_tracked": count,
      "other.running_mean": f32(4),
      xrunning_mean: f32(5),
      running_mean_x: f32(6),
      "bn.running_meanness": f32(7),
      "bn.running_max": f32(8),
    };
    expect(read(tensors).params).toEqual([
      "w",
      "other.running_mean",
      "xrunning_mean",
      "running_mean_x",
      "bn.running_meanness",
      "bn.running_max",
    ]);
  });

  it("are no state, of whatever optimizer, and that isn't carried along", () => {
    const others = {
      "state.conv.w.exp_avg": f32(2),
      "state.conv.w.": f32(3),
      "state.gone.square_avg": f32(4),
      "state.gone.row_steps": f32(5),
      "state.over\nlines.square_avg": f32(6),
    };
    expect(read({ "conv.w": f32(1), ...others })).toMatchObject({ params: ["conv.w"], carried: [] });
    const restored = new RMSprop({ "conv.w": [1] });
    restore(restored, fileOf({ "conv.w": f32(1), ...others, n: f32(7) }));
    expect([...carriedTensors(restored).keys()]).toEqual(["n"]);
    // These only look like some.
    const named = {
      "mystate.w.x": f32(2),
      "state.other.x": f32(3),
      "state.w": f32(4),
      "state..x": f32(5),
      "xstate.gone.z": f32(6),
    };
    expect(read({ w: f32(1), ...named })).toMatchObject({
      params: ["w", ...Object.keys(named)],
      carried: [],
    });
  });

  it("are those with state, where there are any", () => {
    const tensors = { w: f32(1), b: f32(2), "state.w.square_avg": f32(3), "state.w.step": step(1) };
    expect(read(tensors)).toMatchObject({ params: ["w"], carried: ["b"] });
  });
});

describe("records of a file by others", () => {
  const tensors = { w: f32(1), b: f32(2), c: f32(3), "": f32(4), e: empty, d: f32(5) };
  const recordOf = (name: string, values: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`param_groups.${name}.${key}`, JSON.stringify(value)]),
    );

  it("name the parameters, which have a name and elements", () => {
    const metadata = Object.assign({}, ...["", "e", "b", "w"].map((name) => recordOf(name, { lr: 0.5 })));
    expect(read(tensors, metadata)).toMatchObject({ params: ["w", "b"], carried: ["c", "", "e", "d"] });
  });

  it("make a group of those that say the same, in any order, and of none that say more", () => {
    const metadata = {
      ...recordOf("w", { lr: 0.5, alpha: 0.75 }),
      ...recordOf("b", { lr: 0.5 }),
      ...recordOf("c", { alpha: 0.75, lr: 0.5 }),
      ...recordOf("d", { lr: 0.5, alpha: 0.5 }),
    };
    const { optimizer } = read(tensors, metadata);
    expect(optimizer.stateDict().groups.map(({ params, lr, alpha }) => [params, lr, alpha])).toEqual([
      [["w", "c"], 0.5, 0.75],
      [["b"], 0.5, 0.99],
      [["d"], 0.5, 0.5],
    ]);
  });

  it("that are longer or shorter than the one before are read anew", () => {
    for (const order of [
      ["w", "b"],
      ["b", "w"],
    ]) {
      const records = { w: recordOf("w", { lr: 0.5 }), b: recordOf("b", { lr: 0.5, alpha: 0.75 }) };
      const metadata = Object.assign({}, ...order.map((name) => records[name as "w"]));
      const { optimizer } = read({ [order[0]!]: f32(1), [order[1]!]: f32(2) }, metadata);
      const alphas = optimizer.stateDict().groups.map(({ params, alpha }) => [params[0], alpha]);
      expect(Object.fromEntries(alphas)).toEqual({ w: 0.99, b: 0.75 });
    }
  });
});

describe("a group of many parameters", () => {
  const keysOf = (file: Uint8Array, name: string) =>
    Object.keys(JSON.parse(split(file).json).__metadata__).filter((key) =>
      key.startsWith(`param_groups.${name}.`),
    );
  const makeMany = (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `p${i}`);
    const optimizer = new RMSprop(Object.fromEntries(names.map((name) => [name, [1]])), {
      lr: 0.5,
      alpha: 0.75,
    });
    train(optimizer, 0, 2);
    return optimizer;
  };

  it("has one record from 1,001 on, and one for each up to there; both are read", () => {
    for (const count of [1000, 1001]) {
      const optimizer = makeMany(count);
      const file = save(optimizer);
      expect(keysOf(file, "p0").length).toBeGreaterThan(5);
      expect(keysOf(file, "p1").length).toBe(count > 1000 ? 0 : keysOf(file, "p0").length);
      const loaded = load(file);
      expect(loaded.groups).toHaveLength(1);
      expect(snapshot(loaded)).toEqual(snapshot(optimizer));
    }
  });

  it("has a record of its own for each that carries other keys", () => {
    const optimizer = makeMany(1001);
    const { json, data } = split(save(optimizer));
    const header = JSON.parse(json);
    // As by another program, which writes one of them with a key that PyTorch has.
    const own = JSON.parse(header.__metadata__["rmsprop-wasm"]);
    own.carried = { tensors: [], keys: ["fused"] };
    header.__metadata__["rmsprop-wasm"] = JSON.stringify(own);
    for (const key of keysOf(save(optimizer), "p0")) {
      header.__metadata__[key.replace(".p0.", ".p7.")] = header.__metadata__[key];
    }
    header.__metadata__["param_groups.p7.fused"] = "true";
    const saved = save(load(withHeader(JSON.stringify(header), data)));
    expect(keysOf(saved, "p7")).toContain("param_groups.p7.fused");
    expect(keysOf(saved, "p0").length).toBe(keysOf(saved, "p7").length - 1);
    expect(keysOf(saved, "p8")).toEqual([]);
    expect(snapshot(load(saved))).toEqual(snapshot(optimizer));
  });

  it("needs the record of each, where there are few", () => {
    const file = changed(({ __metadata__: metadata }) => {
      for (const key of Object.keys(metadata)) if (key.startsWith("param_groups.b.")) delete metadata[key];
    });
    expect(() => load(file)).toThrow(CheckpointError);
  });
});

describe("what a file says about itself", () => {
  const lists = "lists of names, as { tensors, keys }";

  it.each([
    ["it", () => 7, "it is 7, expected an object."],
    ["groups", (own: Bad) => ({ ...own, groups: [] }), "groups is [], expected lists of names."],
    [
      "names",
      (own: Bad) => ({
        ...own,
        groups: [
          ["w", "b"],
          ["c", "w"],
        ],
      }),
      /^Metadata rmsprop-wasm: groups is \[.*, expected each name once\.$/,
    ],
    ["isScheduled", (own: Bad) => ({ ...own, isScheduled: 1 }), "isScheduled is 1, expected true or false."],
    ["options", (own: Bad) => ({ ...own, options: [] }), "options is [], expected an object."],
    [
      "an option",
      (own: Bad) => ({ ...own, options: { threads: 2 } }),
      'an option is "threads", expected globalClipNorm, nonFinite, ema, scheduleFree or lr.',
    ],
    ["carried", (own: Bad) => ({ ...own, carried: 7 }), `carried is 7, expected ${lists}.`],
    ["no keys", (own: Bad) => ({ ...own, carried: { tensors: [] } }), `expected ${lists}.`],
    ["no tensors", (own: Bad) => ({ ...own, carried: { keys: [] } }), `expected ${lists}.`],
    ["text", (own: Bad) => ({ ...own, carried: { tensors: "a", keys: [] } }), `expected ${lists}.`],
    ["numbers", (own: Bad) => ({ ...own, carried: { tensors: [], keys: [1] } }), `expected ${lists}.`],
    [
      "a tensor that isn't there",
      (own: Bad) => ({ ...own, carried: { tensors: ["ghost"], keys: [] } }),
      '"ghost" is missing in the file.',
    ],
  ] as const)("is checked: %s", (_, change, message) => {
    const file = owned(change);
    const optimizer = make();
    const before = snapshot(optimizer);
    expect(() => restore(optimizer, file)).toThrow(message);
    expect(() => load(file)).toThrow(message);
    expect(snapshot(optimizer)).toEqual(before);
  });

  it("names the first tensor that isn't there", () => {
    const w = { w: f32(1), "state.w.square_avg": f32(2), "state.w.step": step(3) };
    const { json, data } = split(save(load(fileOf({ ...w, n: f32(4), m: f32(5) }))));
    const header = JSON.parse(json);
    const own = JSON.parse(header.__metadata__["rmsprop-wasm"]);
    own.carried.tensors = ["n", "ghost", "m"];
    header.__metadata__["rmsprop-wasm"] = JSON.stringify(own);
    expect(() => load(withHeader(JSON.stringify(header), data))).toThrow('"ghost" is missing in the file.');
  });

  it("names the keys of a record that it may hold", () => {
    const file = changed(({ __metadata__: metadata }) => {
      metadata["param_groups.w.unknown"] = "1";
    });
    expect(() => load(file)).toThrow(/^Metadata param_groups\.w\.unknown: expected one of lr, .*alpha/);
  });

  it("is written for counts of steps in float32, as far as that has all whole numbers", () => {
    const optimizer = new RMSprop({ w: [1] });
    for (const [steps, dtype] of [
      [2 ** 24, "F32"],
      [2 ** 24 + 1, "F64"],
    ] as const) {
      optimizer.loadStateDict({ ...optimizer.stateDict(), steps });
      const file = save(optimizer);
      expect(JSON.parse(split(file).json)["state.w.step"].dtype).toBe(dtype);
      expect(load(file).steps).toBe(steps);
    }
  });
});

describe("load with options", () => {
  it("takes those that are undefined from the file", () => {
    const optimizer = new RMSprop({ w: [2] }, { lr: 0.5, momentum: 0.9, alpha: 0.75 });
    train(optimizer, 0, 2);
    const loaded = load(save(optimizer), { lr: undefined, momentum: undefined, alpha: undefined } as Bad);
    expect(snapshot(loaded)).toEqual(snapshot(optimizer));
    expect(load(save(optimizer), { lr: 0.25 }).groups.map(({ lr, alpha }) => [lr, alpha])).toEqual([
      [0.25, 0.75],
    ]);
  });

  it.each([
    { lr: "auto" as const },
    { scheduleFree: true },
    { scheduleFree: { beta: 0.8, warmupSteps: 3 }, momentum: 0.5 },
  ])("goes on with the same bits: %o", (options) => {
    const optimizer = new RMSprop([{ params: { w: [2] } }, { params: { b: [3] }, eps: 1e-3 }], options);
    train(optimizer, 0, 5);
    const loaded = load(save(optimizer));
    for (const one of [optimizer, loaded]) train(one, 5, 9);
    expect(snapshot(loaded)).toEqual(snapshot(optimizer));
    expect(loaded.learnedLr).toBe(optimizer.learnedLr);
  });

  it("asks for a schedule that any group had", () => {
    const group = (name: string, lr: number | (() => number)) => ({ params: { [name]: [1] }, lr });
    for (const groups of [
      [group("a", () => 0.5), group("b", 0.25)],
      [group("a", 0.5), group("b", () => 0.25)],
    ]) {
      const file = save(new RMSprop(groups));
      expect(() => load(file)).toThrow("The learning rate was a function, which a file can't hold");
      expect(load(file, { lr: 0.125 }).groups.map(({ lr }) => lr)).toEqual([0.125, 0.125]);
    }
  });

  it("takes another average of the weights, unless rows have yet to catch up with the old one", () => {
    for (const sparse of ["lazy", "exact"] as const) {
      const optimizer = new RMSprop({ e: [4, 2] }, { sparse, ema: { decay: 0.9 } });
      for (let i = 0; i < 2; i++) optimizer.step({ rows: { e: [1] } });
      const read = () => load(save(optimizer), { ema: { decay: 0.5 } });
      if (sparse === "lazy") expect(read().steps).toBe(2);
      else expect(read).toThrow(RMSpropError);
    }
  });

  it("takes rows that are behind from a file that says nothing of its settings", () => {
    const options = { momentum: 0.9, lr: 0.5 };
    const optimizer = new RMSprop({ e: [4, 2] }, options);
    optimizer.grads.e.fill(1);
    for (const rows of [[0, 1, 2], [1]]) optimizer.step({ rows: { e: rows } });
    const { json, data } = split(save(optimizer));
    const { __metadata__, ...header } = JSON.parse(json);
    const file = withHeader(JSON.stringify(header), data);
    const restored = new RMSprop({ e: [4, 2] }, options);
    restore(restored, file);
    for (const one of [restored, load(file, options)]) expect(snapshot(one)).toEqual(snapshot(optimizer));
  });

  it("goes on to learn the rate, where that is asked for once more", () => {
    const optimizer = new RMSprop({ w: [2] }, { lr: "auto" });
    train(optimizer, 0, 3);
    expect(snapshot(load(save(optimizer), { lr: "auto" }))).toEqual(snapshot(optimizer));
  });
});
