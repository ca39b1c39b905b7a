/** Checkpoints: what is saved goes on with the same bits, wherever and however it is read. */
import { createReadStream, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { CheckpointError, dialects, OptionError, RMSprop, SwappedError } from "rmsprop-wasm";
import {
  load,
  loadChunks,
  restore,
  restoreLeRobot,
  save,
  saveChunks,
  saveLeRobot,
} from "rmsprop-wasm/checkpoint";
import { describe, expect, it, vi } from "vitest";
import { ENTRIES } from "./entries.ts";
import { exactly, params, snapshot, train, VARIANTS } from "./runs.ts";
import { fileOf, split, tensor } from "./tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

/** Far quicker than `toEqual` on long arrays. */
function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(bytes, expected)).toBe(0);
}

describe.each(ENTRIES)("$entry", ({ make }) => {
  it.each(VARIANTS)("goes on with the same bits from any step: $name", ({ options, step }) => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(4), fc.nat(6), (before, rest, elsewhere) => {
        const optimizer = make(params(), options);
        train(optimizer, 0, before, step);
        const bytes = save(optimizer);
        const restored = make(params(), options);
        train(restored, 0, elsewhere, step);
        restore(restored, bytes);
        const loaded = load(bytes, { backend: optimizer.backend });
        expect(loaded.backend).toBe(optimizer.backend);
        for (const one of [restored, loaded]) expectSame(save(one), bytes);

        for (const one of [optimizer, restored, loaded]) train(one, before, before + rest, step);
        expect(snapshot(restored)).toEqual(snapshot(optimizer));
        expectSame(save(loaded), save(optimizer));
      }),
      { numRuns: 3 },
    );
  });
});

const f32 = (...values: number[]) => tensor("F32", Float32Array.from(values));
const step = (count: number) => tensor("F32", Float32Array.of(count), []);
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

describe("a file", () => {
  const make = () => {
    const options = { momentum: 0.9, ema: { decay: 0.5 }, globalClipNorm: 3, nonFinite: "skip" as const };
    const optimizer = new RMSprop(
      [
        { params: { w: [2, 3] }, centered: true },
        { params: { b: [2], s: [] }, lr: 0.5 },
      ],
      options,
    );
    train(optimizer, 0, 3);
    optimizer.grads.s[0] = NaN;
    optimizer.step();
    return optimizer;
  };

  it("has the keys of PyTorch's flattened state, and the rest in its metadata", () => {
    const optimizer = make();
    const { json, data } = split(save(optimizer));
    expect((8 + Buffer.byteLength(json)) % 8).toBe(0);
    const { __metadata__: metadata, ...entries } = JSON.parse(json);
    const { w, b, s } = optimizer.params;
    const expected: Record<string, [number[], Float32Array]> = { w: [[2, 3], w], b: [[2], b], s: [[], s] };
    for (const [name, shape] of [
      ["w", [2, 3]],
      ["b", [2]],
      ["s", []],
    ] as const) {
      const { squareAvg, momentumBuffer, gradAvg } = optimizer.state[name];
      const at = `state.${name}.`;
      expected[`${at}step`] = [[], Float32Array.of(3)];
      expected[`${at}square_avg`] = [[...shape], squareAvg];
      expected[`${at}momentum_buffer`] = [[...shape], momentumBuffer!];
      if (gradAvg) expected[`${at}grad_avg`] = [[...shape], gradAvg];
      expected[`${at}ema`] = [[...shape], optimizer.ema[name]];
    }
    expect(Object.keys(entries).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, [shape, values]] of Object.entries(expected)) {
      const [begin, end] = entries[key].data_offsets;
      expect(entries[key]).toEqual({ dtype: "F32", shape, data_offsets: [begin, end] });
      expect(data.subarray(begin, end).toString("hex"), key).toBe(exactly(values));
    }

    expect(metadata.format).toBe("pt");
    expect(JSON.parse(metadata["rmsprop-wasm"])).toEqual({
      version: 1,
      skippedSteps: 1,
      isScheduled: false,
      groups: [["w"], ["b", "s"]],
      options: { globalClipNorm: 3, nonFinite: "skip", ema: { decay: 0.5 } },
    });
    const ofB = Object.entries(metadata).filter(([key]) => key.startsWith("param_groups.b."));
    expect(ofB.map(([key, value]) => [key.slice(15), JSON.parse(value as string)])).toEqual(
      Object.entries({
        lr: 0.5,
        momentum: 0.9,
        alpha: 0.99,
        eps: 1e-8,
        centered: false,
        weight_decay: 0,
        maximize: false,
        eps_inside_sqrt: false,
        decoupled_weight_decay: false,
        lr_in_momentum: false,
        nesterov: false,
        bias_correction: false,
        initial_square_avg: 0,
        clip_value: null,
        clip_norm: null,
        capturable: false,
        foreach: null,
        differentiable: false,
      }),
    );
    expect(metadata["param_groups.w.centered"]).toBe("true");
  });

  it("gives an optimizer that is the same in all, also what only the constructor takes", () => {
    const optimizer = make();
    const loaded = load<"w" | "b" | "s">(save(optimizer));
    expect(loaded).toBeInstanceOf(RMSprop);
    expect(snapshot(loaded)).toEqual(snapshot(optimizer));
    expect([loaded.steps, loaded.skippedSteps]).toEqual([3, 1]);
    expect(loaded.params.w).toHaveLength(6);
  });

  it("is made in one allocation", () => {
    const optimizer = new RMSprop({ w: [2 ** 16], b: [2 ** 16] }, { momentum: 0.9 });
    const lengths: number[] = [];
    class Counted extends Uint8Array {
      constructor(...args: ConstructorParameters<typeof Uint8Array>) {
        super(...args);
        const [source] = args as unknown[];
        if (typeof source === "number") lengths.push(source);
      }
    }
    vi.stubGlobal("Uint8Array", Counted);
    const bytes = save(optimizer);
    vi.unstubAllGlobals();
    expect(bytes.length).toBeGreaterThan(6 * 2 ** 18);
    const [header, ...others] = lengths;
    expect(header).toBeLessThan(10_000);
    expect(others).toEqual([bytes.length]);
  });

  it("is read wherever its bytes lie", () => {
    const optimizer = make();
    const bytes = save(optimizer);
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    const sources: unknown[] = [
      bytes.buffer,
      Buffer.from(bytes),
      shared,
      new Uint8Array(shared),
      new DataView(bytes.buffer),
    ];
    for (let shift = 1; shift < 8; shift++) {
      sources.push(new Uint8Array(bytes.length + 9).subarray(shift, shift + bytes.length));
      (sources.at(-1) as Uint8Array).set(bytes);
    }
    for (const source of sources as Uint8Array[]) {
      const restored = make();
      train(restored, 3, 5);
      restore(restored, source);
      expect(snapshot(restored)).toEqual(snapshot(optimizer));
      expect(snapshot(load(source))).toEqual(snapshot(optimizer));
    }
  });

  it("keeps names that objects take for something else", () => {
    const names = ["__proto__", "constructor", "0", "a.b", "state.w", 'q"\\\n', "é𝄞"];
    const make = () => new RMSprop(Object.fromEntries(names.map((name) => [name, [2]])));
    const optimizer = make();
    train(optimizer, 0, 2);
    const bytes = save(optimizer);
    const other = make();
    restore(other, bytes);
    for (const one of [other, load(bytes)]) expect(snapshot(one)).toEqual(snapshot(optimizer));
    expect(Object.keys(load(bytes).params).sort()).toEqual([...names].sort());
  });

  it.each(["__metadata__", "state.w.square_avg"])("can't have a parameter called %s twice", (name) => {
    const optimizer = new RMSprop({ w: [1], [name]: [1] });
    expect(() => save(optimizer)).toThrow(CheckpointError);
    expect(() => save(optimizer)).toThrow(`Two things would be called "${name}"`);
  });

  it("has counts beyond float32's whole numbers", () => {
    const optimizer = new RMSprop({ w: [1] });
    for (const steps of [2 ** 24, 2 ** 24 + 1, 2 ** 31 - 1]) {
      optimizer.loadStateDict({ ...optimizer.stateDict(), steps });
      expect(load(save(optimizer)).steps).toBe(steps);
    }
  });

  it("isn't of the averages while they stand in for the parameters", () => {
    const optimizer = make();
    const bytes = save(optimizer);
    optimizer.swapEma();
    expect(() => save(optimizer)).toThrow(SwappedError);
    expect(() => saveLeRobot(optimizer)).toThrow(SwappedError);
    expect(() => [...saveChunks(optimizer)]).toThrow(SwappedError);
    expect(() => restore(optimizer, bytes)).toThrow(SwappedError);
  });

  it("is the same from threads, and goes on on threads", async () => {
    const shapes = { w: [300, 400], b: [7] };
    using threaded = new RMSprop(shapes, { threads: 2, momentum: 0.9 });
    await threaded.ready;
    expect(threaded.threads).toBe(2);
    const single = new RMSprop(shapes, { momentum: 0.9 });
    for (const one of [threaded, single]) train(one, 0, 5);
    const bytes = save(threaded);
    expectSame(bytes, save(single));
    using loaded = load(bytes, { threads: 2 });
    await loaded.ready;
    expect(loaded.threads).toBe(2);
    for (const one of [threaded, loaded, single]) train(one, 5, 9);
    expectSame(save(loaded), save(single));
    expectSame(save(threaded), save(single));
  });
});

describe("a schedule of the learning rate", () => {
  const schedule = (step: number) => 1 / (4 + step);
  const make = (lr: number | typeof schedule) => new RMSprop({ w: [5] }, { lr, momentum: 0.9 });

  it("is saved as the rate of the last step, and marked", () => {
    const optimizer = make(schedule);
    train(optimizer, 0, 4);
    const { __metadata__: metadata } = JSON.parse(split(save(optimizer)).json);
    expect(metadata["param_groups.w.lr"]).toBe(String(schedule(3)));
    expect(JSON.parse(metadata["rmsprop-wasm"]).isScheduled).toBe(true);
  });

  it("of the optimizer goes on at the step that was, whatever the file has", () => {
    const optimizer = make(schedule);
    train(optimizer, 0, 4);
    const bytes = save(optimizer);
    const restored = make(schedule);
    restore(restored, bytes);
    const loaded = load(bytes, { lr: schedule });
    for (const one of [optimizer, restored, loaded]) train(one, 4, 8);
    expect(snapshot(restored)).toEqual(snapshot(optimizer));
    expect(snapshot(loaded)).toEqual(snapshot(optimizer));
    restore(restored, save(make(3)));
    expect(restored.groups[0].lr).toBe(schedule);
  });

  it("becomes the rate that it had, where the optimizer has none", () => {
    const optimizer = make(schedule);
    train(optimizer, 0, 4);
    const constant = make(3);
    restore(constant, save(optimizer));
    expect(constant.groups[0].lr).toBe(schedule(3));
  });

  it("is asked for, since a file can't hold it", () => {
    const bytes = save(make(schedule));
    expect(() => load(bytes)).toThrow(OptionError);
    expect(() => load(bytes)).toThrow(
      "The learning rate was a function, which a file can't hold: load with { lr }",
    );
    expect(load(bytes, { lr: 2 }).groups[0].lr).toBe(2);
  });
});

describe("options of load", () => {
  it("hold instead of what the file says, for all groups", () => {
    const optimizer = new RMSprop(
      [
        { params: { a: [1] }, lr: 1 },
        { params: { b: [1] }, eps: 1e-3 },
      ],
      {
        globalClipNorm: 2,
        momentum: 0.5,
        ema: { decay: 0.5 },
      },
    );
    const loaded = load(save(optimizer), { lr: 7, momentum: 0.25, globalClipNorm: 9, ema: { decay: 0.75 } });
    expect(loaded.groups.map(({ lr, momentum, eps }) => [lr, momentum, eps])).toEqual([
      [7, 0.25, 1e-8],
      [7, 0.25, 1e-3],
    ]);
    expect(loaded.stateDict().options).toMatchObject({ globalClipNorm: 9, ema: { decay: 0.75 } });
  });

  it("take state that is there: momentum can't be had without its buffer", () => {
    const bytes = save(new RMSprop({ w: [1] }));
    expect(() => load(bytes, { momentum: 0.5 })).toThrow('"state.w.momentum_buffer" is missing in the file');
    expect(() => load(bytes, { ema: { decay: 0.5 } })).toThrow('"state.w.ema" is missing in the file');
  });

  it("put it into another's memory", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const optimizer = new RMSprop({ w: Float32Array.of(1, 2) });
    const loaded = load<"w">(save(optimizer), { memory });
    expect(loaded.params.w.buffer).toBe(memory.buffer);
    expect([...loaded.params.w]).toEqual([1, 2]);
  });

  it("are checked", () => {
    const bytes = save(new RMSprop({ w: [1] }));
    expect(() => load(bytes, { lr: -1 })).toThrow(OptionError);
    expect(() => load(bytes, { rho: 1 } as Bad)).toThrow('Unknown option "rho"');
  });
});

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

  // By IEEE 754, and for BF16 the upper halves of float32: one, the largest, the smallest normal and denormal ones.
  it.each([
    ["F16", Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x3555, 0x8000)],
    ["BF16", Uint16Array.of(0x3f80, 0xc000, 0x7f7f, 0x0080, 0x0001, 0x807f, 0x3eab, 0x8000)],
    ["F64", Float64Array.of(1, -2, 0.1, 1 + 2 ** -24 + 2 ** -50, 2 ** -149, 1e300, -(2 ** -151), -0)],
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
      expect([...optimizer.state.w.squareAvg]).toEqual(expected);
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

describe("chunks", () => {
  const make = () => {
    const optimizer = new RMSprop({ w: [700, 900], b: [33] }, { momentum: 0.9 });
    train(optimizer, 0, 1);
    return optimizer;
  };

  it("are what save gives, none above a mebibyte, and none a view", () => {
    const optimizer = make();
    const chunks = [...saveChunks(optimizer)];
    expect(Math.max(...chunks.map(({ length }) => length))).toBe(2 ** 20);
    const bytes = Buffer.concat(chunks);
    train(optimizer, 1, 2);
    expect(bytes.equals(Buffer.concat(chunks))).toBe(true);
    train(optimizer, 2, 3);
    restore(optimizer, bytes);
    expect(bytes.equals(save(optimizer))).toBe(true);
  });

  it("are of one moment, or none", () => {
    const optimizer = make();
    const chunks = saveChunks(optimizer);
    chunks.next();
    train(optimizer, 1, 2);
    expect(() => chunks.next()).toThrow(CheckpointError);
    const others = saveChunks(optimizer);
    others.next();
    optimizer.memory.grow(1);
    expect(() => [...others]).toThrow("took a step, or its memory grew, before the file was complete");
  });

  it("may be cut anywhere", async () => {
    const optimizer = new RMSprop({ w: [30], b: [3] }, { centered: true });
    train(optimizer, 0, 3);
    const bytes = save(optimizer);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
        expectSame(save(await loadChunks(chunks)), bytes);
      }),
    );
    const ones = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expectSame(save(await loadChunks(ones)), bytes);
  });

  it("come from files, responses and generators", async () => {
    const optimizer = make();
    const bytes = save(optimizer);
    const path = join(mkdtempSync(join(tmpdir(), "chunks-")), "run.safetensors");
    writeFileSync(path, bytes);
    for (const chunks of [createReadStream(path), new Response(bytes).body!, saveChunks(optimizer)]) {
      expectSame(save(await loadChunks(chunks as AsyncIterable<Uint8Array>)), bytes);
    }
  });

  it("of other types are converted on the way", async () => {
    const values = Float64Array.from({ length: 300_000 }, (_, i) => i / 7);
    const file = fileOf({
      w: tensor("F64", values),
      "state.w.square_avg": tensor("F64", values),
      "state.w.step": step(1),
    });
    const optimizer = await loadChunks<"w">([file.subarray(0, 1_000_001), file.subarray(1_000_001)]);
    expect([...optimizer.params.w]).toEqual([...Float32Array.from(values)]);
  });

  it("that end early, go on too long, or are none", async () => {
    const bytes = save(new RMSprop({ w: [3] }));
    for (let length = 0; length < bytes.length; length++) {
      await expect(loadChunks([bytes.subarray(0, length)])).rejects.toThrow(CheckpointError);
    }
    await expect(loadChunks([bytes.subarray(0, -1)])).rejects.toThrow(
      `The file ends at byte ${bytes.length - 1}, and its tensors at ${bytes.length}`,
    );
    await expect(loadChunks([bytes, Uint8Array.of(0)])).rejects.toThrow(
      "The file ends later, and its tensors at",
    );
    await expect(loadChunks(["text"] as Bad)).rejects.toThrow('A chunk of the file: got "text"');
    await expect(loadChunks(null as Bad)).rejects.toThrow("The file: got null, expected what");
    await expect(loadChunks(7 as Bad)).rejects.toThrow(CheckpointError);
  });

  it("are closed, whatever becomes of them", async () => {
    const close = vi.fn();
    async function* source(bytes: Uint8Array) {
      try {
        yield bytes;
        yield new Uint8Array(0);
        throw new Error("a broken pipe");
      } finally {
        close();
      }
    }
    const bytes = save(new RMSprop({ w: [3] }));
    await expect(loadChunks(source(bytes))).rejects.toThrow("a broken pipe");
    await expect(loadChunks(source(bytes.slice().fill(0, 8)))).rejects.toThrow(CheckpointError);
    expect(close).toHaveBeenCalledTimes(2);
  });
});

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

  it("has no place for what PyTorch doesn't compute", () => {
    const names = { ...dialects.keras, nesterov: true, momentum: 0.9, clipNorm: 1, biasCorrection: true };
    expect(() => saveLeRobot(new RMSprop({ w: [1] }, names))).toThrow(
      "has no epsInsideSqrt, decoupledWeightDecay, lrInMomentum, nesterov, biasCorrection, clipNorm",
    );
    expect(() => saveLeRobot(new RMSprop({ w: [1] }, { initialSquareAvg: 1 }))).not.toThrow();
  });

  it.each([
    ["no JSON", { "optimizer_param_groups.json": "[" }, "optimizer_param_groups.json is not JSON"],
    ["a group less", { "optimizer_param_groups.json": "[]" }, "expected a list of 2 groups"],
    [
      "no groups",
      { "optimizer_param_groups.json": "[1, null]" },
      "optimizer_param_groups.json[0]: got params undefined",
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
      '"state/2/',
    ],
    [
      "another's hyperparameter",
      { "optimizer_param_groups.json": '[{"params": [0], "betas": [0.9, 0.99]}, {"params": [1, 2]}]' },
      "optimizer_param_groups.json[0].betas: expected one of lr, momentum",
    ],
    ["no state", { "optimizer_state.safetensors": undefined }, "The file: got undefined, expected its bytes"],
    [
      "another model",
      { "model.safetensors": fileOf({ v: f32(1) }) },
      '"v": the optimizer keeps nothing of this name',
    ],
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
