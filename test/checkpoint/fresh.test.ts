/** Files by others in which state is missing: what may begin anew, where it begins, and what is refused as half a state. */
import { CheckpointError, type Options, RMSprop } from "rmsprop-wasm";
import { load, restore } from "rmsprop-wasm/checkpoint";
import { describe, expect, it, vi } from "vitest";
import { snapshot, train } from "../support/runs.ts";
import { f32, fileOf, step, type Tensor, tensor } from "../support/tensor-files.ts";

const started = {
  w: f32(1, 2),
  "state.w.step": step(5),
  "state.w.square_avg": f32(3, 4),
  "state.w.momentum_buffer": f32(5, 6),
  "state.w.grad_avg": f32(7, 8),
};
/** Records of the hyperparameters under which two parameters were trained. */
const recordsOf = (names: string[], values: Record<string, number | boolean>) =>
  Object.fromEntries(
    names.flatMap((name) =>
      Object.entries(values).map(([key, value]) => [`param_groups.${name}.${key}`, JSON.stringify(value)]),
    ),
  );
const OPTIONS: Options = { momentum: 0.9, centered: true, initialSquareAvg: 0.25, ema: { decay: 0.5 } };
const RECORDS = recordsOf(["w", "b"], { momentum: 0.9, centered: true });

/** Both ways to read a file for two parameters: into a trained optimizer, and into a new one. */
const READERS = {
  restore(file: Uint8Array, options: Options = OPTIONS) {
    const optimizer = new RMSprop({ w: [2], b: [3] }, options);
    train(optimizer, 0, 3);
    restore(optimizer, file);
    return optimizer as unknown as ReturnType<typeof load>;
  },
  load: (file: Uint8Array, options: Options = OPTIONS) => load(file, options),
};

describe.each(Object.entries(READERS))("%s of a file by others", (_, read) => {
  const filed = (tensors: Record<string, Tensor>, records = RECORDS) => fileOf(tensors, records);

  it("begins a parameter without state anew, and the averages of the weights at the weights", () => {
    const { params, state, ema, steps } = read(filed({ ...started, b: f32(9, 10, 11) }));
    expect([...params.w!, ...params.b!]).toEqual([1, 2, 9, 10, 11]);
    const { w, b } = state;
    expect([w!.squareAvg, w!.momentumBuffer, w!.gradAvg].map((plane) => [...plane!])).toEqual([
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
    expect([b!.squareAvg, b!.momentumBuffer, b!.gradAvg].map((plane) => [...plane!])).toEqual([
      [0.25, 0.25, 0.25],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect([...ema!.w!, ...ema!.b!]).toEqual([1, 2, 9, 10, 11]);
    expect(steps).toBe(5);
  });

  it("begins all anew where there are weights alone, also where an average of theirs is there", () => {
    const fresh = read(filed({ w: f32(1, 2), b: f32(9, 10, 11), "state.w.ema": f32(20, 21) }));
    expect([...fresh.ema!.w!, ...fresh.ema!.b!]).toEqual([20, 21, 9, 10, 11]);
    expect([...fresh.state.w!.squareAvg, ...fresh.state.w!.momentumBuffer!]).toEqual([0.25, 0.25, 0, 0]);
    expect(fresh.steps).toBe(0);
  });

  it("begins the points that scheduleFree averages at the weights", () => {
    const { state } = read(filed({ w: f32(1, 2), b: f32(9, 10, 11) }), {
      momentum: 0.9,
      centered: true,
      scheduleFree: true,
    });
    expect([...state.w!.z!, ...state.b!.z!]).toEqual([1, 2, 9, 10, 11]);
  });

  it("refuses half a state", () => {
    const b = { b: f32(9, 10, 11) };
    for (const key of ["step", "square_avg", "momentum_buffer", "grad_avg"]) {
      const { [`state.w.${key}` as "state.w.step"]: _, ...half } = started;
      expect(() => read(filed({ ...half, ...b })), key).toThrow(`"state.w.${key}" is missing in the file`);
      const one = { w: f32(1, 2), ...b, [`state.w.${key}`]: started[`state.w.${key}` as "state.w.step"] };
      expect(() => read(filed(one)), key).toThrow(/^"state\.w\.\w+" is missing in the file/);
    }
  });

  it("takes the largest count of steps, unless bias correction sees each", () => {
    const counted = (first: number, second?: number) => {
      const count: Record<string, Tensor> = second === undefined ? {} : { "state.b.step": step(second) };
      const state = second === undefined ? {} : { "state.b.square_avg": f32(1, 1, 1) };
      return {
        w: f32(1, 2),
        "state.w.step": step(first),
        "state.w.square_avg": f32(3, 4),
        b: f32(9, 10, 11),
        ...state,
        ...count,
      };
    };
    const stepsOf = (first: number, second: number | undefined, options: Options, bs = {}) =>
      read(
        filed(counted(first, second), {
          ...recordsOf(["w"], { lr: 0.5, bias_correction: false }),
          ...recordsOf(["b"], { lr: 0.5, bias_correction: false, ...bs }),
        }),
        options,
      ).steps;
    expect([stepsOf(5, 7, {}), stepsOf(7, 5, {}), stepsOf(0, 5, {}), stepsOf(5, 0, {})]).toEqual([
      7, 7, 5, 5,
    ]);
    expect([stepsOf(5, undefined, {}), stepsOf(0, undefined, {})]).toEqual([5, 0]);
    expect(() => stepsOf(-1, 5, {})).toThrow("steps of the state: got -1");
    expect(() => stepsOf(5, -1, {})).toThrow("steps of the state: got -1");
    expect(() => stepsOf(5, Number.NaN, {})).toThrow("steps of the state: got NaN");
  });
});

describe("with bias correction", () => {
  const optimizerOf = (both: boolean) =>
    new RMSprop([
      { params: { w: [2] }, biasCorrection: true },
      { params: { b: [3] }, biasCorrection: both },
    ]);
  const counted = (first: number, second?: number) => ({
    w: f32(1, 2),
    "state.w.step": step(first),
    "state.w.square_avg": f32(3, 4),
    b: f32(9, 10, 11),
    ...(second === undefined ? {} : { "state.b.step": step(second), "state.b.square_avg": f32(1, 1, 1) }),
  });

  it.each([false, true])("in every group: %s, all parameters have the same count", (both) => {
    const optimizer = optimizerOf(both);
    restore(optimizer, fileOf(counted(5, 5)));
    expect(optimizer.steps).toBe(5);
    restore(optimizer, fileOf(counted(0)));
    expect(optimizer.steps).toBe(0);
    const before = snapshot(optimizer);
    expect(() => restore(optimizer, fileOf(counted(5, 7)))).toThrow(
      '"state.b.step" is 7 and "state.w.step" is 5: expected as many steps of all parameters.',
    );
    expect(() => restore(optimizer, fileOf(counted(5)))).toThrow(
      'Another parameter has no count and "state.w.step" is 5: expected as many steps of all parameters.',
    );
    expect(snapshot(optimizer)).toEqual(before);
  });
});

it("an average of the weights that begins anew leaves counts of steps alone", () => {
  const optimizer = new RMSprop({ w: [2] }, { biasCorrection: true, ema: { decay: 0.5 } });
  restore(optimizer, fileOf({ w: f32(1, 2), "state.w.square_avg": f32(3, 4), "state.w.step": step(5) }));
  expect([optimizer.steps, ...optimizer.ema!.w]).toEqual([5, 1, 2]);
});

it("averages by rows begin anew with a number for each row", () => {
  const optimizer = new RMSprop({ w: [2, 3] }, { rowwiseState: true, initialSquareAvg: 0.5 });
  restore(optimizer, fileOf({ w: tensor("F32", Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]) }));
  expect([...optimizer.state.w.squareAvg]).toEqual([0.5, 0.5]);
});

describe("a part", () => {
  const optimizer = () => new RMSprop({ w: [2] });
  const file = { w: f32(1, 2), "state.w.square_avg": f32(3, 4), "state.w.step": step(5) };
  const nothing: Tensor = { dtype: "F32", shape: [0], bytes: new Uint8Array(0) };

  it.each([
    ["w", nothing, '"w": a parameter without elements, expected at least one.'],
    ["state.w.square_avg", nothing, '"state.w.square_avg": a parameter without elements'],
    ["state.w.step", nothing, '"state.w.step": shape is [0], expected a single number.'],
    ["state.w.square_avg", f32(1), '"state.w.square_avg": shape is [1], expected [2], as of "w".'],
    ["w", tensor("I32", Int32Array.of(1, 2)), '"w": dtype is I32, expected F32, F64, F16 or BF16.'],
  ])("%s has the type and the shape that it should", (key, wrong, message) => {
    // In any order of the file's: the parameter's shape is the one to go by.
    const tensors = Object.entries({ ...file, [key]: wrong });
    for (const order of [tensors, [...tensors].reverse()]) {
      expect(() => restore(optimizer(), fileOf(Object.fromEntries(order)))).toThrow(message);
    }
  });

  it("is called like no other one, whether the file has it or not", () => {
    const params = { w: [2], "state.w.square_avg": [2] };
    const both = { ...file, "state.state.w.square_avg.square_avg": f32(1, 2) };
    for (const tensors of [both, { w: f32(1, 2) }]) {
      const twice = new RMSprop(params);
      expect(() => restore(twice, fileOf(tensors))).toThrow(CheckpointError);
      expect(() => restore(twice, fileOf(tensors))).toThrow(
        'Two things would be called "state.w.square_avg" in the file: rename the parameter.',
      );
    }
  });

  it("holds numbers that its type can hold; a mean square that is larger is the largest", () => {
    const large = tensor("F64", Float64Array.of(1, 1e300));
    for (const read of [(bytes: Uint8Array) => restore(optimizer(), bytes), load]) {
      expect(() => read(fileOf({ ...file, w: large }))).toThrow(
        /^(.*w\b.*): got 1e\+300, expected numbers that a float32 can hold/,
      );
    }
    // A refused file leaves no optimizer behind.
    const dispose = vi.spyOn(RMSprop.prototype, "dispose");
    expect(() => load(fileOf({ ...file, w: large }))).toThrow();
    expect(dispose).toHaveBeenCalledTimes(1);
    dispose.mockRestore();
    const { state } = load(fileOf({ ...file, "state.w.square_avg": large }));
    expect([...state.w!.squareAvg]).toEqual([1, (2 - 2 ** -23) * 2 ** 127]);
  });
});
