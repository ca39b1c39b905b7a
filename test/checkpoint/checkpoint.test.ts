/** Checkpoints: what is saved goes on with the same bits, and is what PyTorch's tools read. */
import fc from "fast-check";
import { CheckpointError, OptionError, RMSprop, SwappedError } from "rmsprop-wasm";
import { load, restore, save, saveChunks, saveLeRobot } from "rmsprop-wasm/checkpoint";
import { describe, expect, it, vi } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { exactly, expectSame, params, snapshot, train, VARIANTS } from "../support/runs.ts";
import { split } from "../support/tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

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
    expect([restored.steps, restored.lr]).toEqual([0, schedule(0)]);
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
    const refused = [
      [{ momentum: 0.5 }, '"state.w.momentum_buffer" is missing in the file: the saved run had no momentum,'],
      [{ centered: true }, '"state.w.grad_avg" is missing in the file: the saved run had no centered,'],
      [{ ema: { decay: 0.5 } }, '"state.w.ema" is missing in the file: the saved run had no ema,'],
      [{ scheduleFree: true }, '"state.w.z" is missing in the file: the saved run had no scheduleFree,'],
      [{ lr: "auto" }, '"state.w.moved" is missing in the file: the saved run had no lr: "auto",'],
    ] as const;
    for (const [options, message] of refused) expect(() => load(bytes, options)).toThrow(message);
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
