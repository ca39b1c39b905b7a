/** Steps by rows that stop and go on: state dicts and checkpoints hold the steps of each row. */

import fc from "fast-check";
import { MemoryError, type Options, type Schedule } from "rmsprop-wasm";
import { load, restore, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { snapshot } from "../support/runs.ts";
import { as, every, MOVING, ROWS, rowsAt, shapes, valuesOf, write } from "../support/table.ts";
import { split, withHeader } from "../support/tensor-files.ts";

describe.each(ALL_ENTRIES)("$entry", ({ make, backend, type }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), options));
    expect(made.backend).toBe(backend);
    return made;
  };

  it("goes on where it was saved, to the bit", () => {
    for (const options of MOVING) {
      if (typeof options.lr === "function") continue;
      const whole = tables(options);
      let stopping = tables(options);
      for (let step = 0; step < 40; step++) {
        for (const optimizer of [whole, stopping]) {
          write(optimizer, rowsAt(step), step);
          optimizer.catchUp({ e: rowsAt(step) });
          optimizer.step({ rows: { e: rowsAt(step) } });
        }
        if (step % 7 === 3) {
          const next = tables(options);
          next.loadStateDict(structuredClone(stopping.stateDict()) as never);
          stopping = next;
        }
        if (step % 7 === 5) stopping = as(load(save(stopping), {}, type));
      }
      expect(snapshot(stopping)).toEqual(snapshot(whole));
    }
  });

  it("makes up for missed steps by the hyperparameters of the time, whatever it has kept of those before", () => {
    const options = { momentum: 0.9, weightDecay: 0.1, decoupledWeightDecay: true, sparse: "exact" } as const;
    const going = tables(options);
    let stopping = tables(options);
    for (let step = 0; step < 60; step++) {
      if (step % 20 === 10) {
        const next = { lr: 0.3 / (step + 1), momentum: 0.5 + step / 200, weightDecay: 0.1 / (step + 1) };
        for (const optimizer of [going, stopping]) Object.assign(optimizer.groups[0]!, next);
        const fresh = tables(options);
        fresh.loadStateDict(structuredClone(stopping.stateDict()) as never);
        stopping = fresh;
      }
      for (const optimizer of [going, stopping]) {
        write(optimizer, rowsAt(step), step);
        optimizer.catchUp({ e: rowsAt(step) });
        optimizer.step({ rows: { e: rowsAt(step) } });
      }
      expect(snapshot(stopping)).toEqual(snapshot(going));
    }
  });

  it.each([
    ["that is loaded as a sparse one", {}, { sparse: "exact" }],
    ["that became sparse, and wasn't updated by rows since", { sparse: "exact" }, {}],
  ] as const)("goes on, to the bit, from a file without counts of a dense run %s", (_, assigned, loaded) => {
    const options = { momentum: 0.9, weightDecay: 0.01, decoupledWeightDecay: true };
    const whole = tables(options);
    for (let step = 0; step < 9; step++) {
      write(whole, every, step);
      whole.step();
    }
    Object.assign(whole.groups[0]!, assigned);
    const file = save(whole);
    const both = [whole, as(load(file, loaded, type))];
    for (let step = 9; step < 20; step++) {
      for (const optimizer of both) {
        write(optimizer, rowsAt(step), step);
        optimizer.catchUp({ e: rowsAt(step) });
        optimizer.step({ rows: { e: rowsAt(step) } });
      }
    }
    for (const optimizer of both) optimizer.catchUp();
    expect(valuesOf(both[1]!)).toEqual(valuesOf(whole));
  });

  it("loads counts and momentum together or not at all, where the memory has no room for both", () => {
    const tables = { e: [40_000, 4], b: [3] };
    const saved = as(make(tables, { momentum: 0.9 }));
    saved.step({ rows: { e: [1] } });
    const bytesIn = (memory: WebAssembly.Memory) => memory.buffer.byteLength;
    const open = (maximum: number) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum });
      return { memory, optimizer: as(make(tables, { memory })) };
    };
    const pages = bytesIn(open(1000).memory) / 65_536;
    const planePages = Math.ceil((160_004 * saved.params.e!.BYTES_PER_ELEMENT) / 65_536);
    const { memory, optimizer } = open(pages + planePages);
    const before = snapshot(optimizer);
    expect(() => optimizer.loadStateDict(saved.stateDict() as never)).toThrow(MemoryError);
    expect(bytesIn(memory)).toBe(pages * 65_536);
    expect(snapshot(optimizer)).toEqual(before);
    const roomy = open(1000).optimizer;
    roomy.loadStateDict(saved.stateDict() as never);
    expect(valuesOf(roomy)).toEqual(valuesOf(saved));
  });

  it("refuses counts of another table, and of steps that weren't taken", () => {
    const optimizer = tables();
    optimizer.step({ rows: { e: [1] } });
    const dict = optimizer.stateDict();
    const withCounts = (rowSteps: unknown) => ({
      ...dict,
      tensors: { ...dict.tensors, e: { ...dict.tensors.e!, rowSteps } },
    });
    const before = snapshot(optimizer);
    const load = (counts: unknown) => () => optimizer.loadStateDict(withCounts(counts) as never);
    expect(load(new Uint32Array(ROWS - 1))).toThrow(/rowSteps.length/);
    expect(load(new Float32Array(ROWS))).toThrow(/rowSteps/);
    expect(load(new Uint32Array(ROWS).fill(2))).toThrow(/rowSteps/);
    expect(snapshot(optimizer)).toEqual(before);
  });

  it("goes on after any rows, wherever it is stopped, to the bit", () => {
    const anyRows = fc.array(fc.nat(ROWS - 1), { maxLength: 30 });
    const anyStop = fc.constantFrom("none", "state dict", "checkpoint", "restored");
    const anySteps = fc.array(fc.record({ rows: fc.option(anyRows), stop: anyStop }), { maxLength: 12 });
    const rowwise = { rowwiseState: true, momentum: 0.5 };
    const anyOptions = fc.constantFrom<Options>(...MOVING, rowwise, { sparse: "lazy", momentum: 0.9 });
    fc.assert(
      fc.property(anyOptions, anySteps, (options, steps) => {
        const whole = tables(options);
        let stopping = tables(options);
        steps.forEach(({ rows, stop }, step) => {
          for (const optimizer of [whole, stopping]) {
            write(optimizer, rows ?? every, step);
            optimizer.catchUp(rows ? { e: rows } : undefined);
            optimizer.step(rows ? { rows: { e: rows } } : {});
          }
          const isSchedule = typeof options.lr === "function";
          if (stop === "checkpoint" && !isSchedule) stopping = as(load(save(stopping), {}, type));
          else if (stop !== "none") {
            const next = tables(options);
            if (stop === "restored") restore(next, save(stopping));
            else next.loadStateDict(structuredClone(stopping.stateDict()) as never);
            if (isSchedule) next.lr = options.lr as Schedule;
            stopping = next;
          }
          expect(snapshot(stopping)).toEqual(snapshot(whole));
        });
      }),
      { numRuns: 40 },
    );
  });

  describe("while rows are behind", () => {
    const momentum = { momentum: 0.9, lr: 0.1, sparse: "exact" } as const;
    const schedule: Schedule = (step) => 0.1 / (step + 1);
    const cases: [saved: Options, other: Options, option: string][] = [
      [{}, { alpha: 0.9 }, "alpha"],
      [{}, { sparse: "lazy" }, "sparse"],
      [momentum, { lr: 0.2 }, "lr"],
      [momentum, { lr: schedule }, "lr"],
      [{ momentum: 0.9, lr: schedule }, { lr: 0.1 }, "lr"],
      [momentum, { nesterov: true }, "nesterov"],
      [momentum, { weightDecay: 0.1, decoupledWeightDecay: true }, "weightDecay"],
      [{ ema: { decay: 0.9 } }, { ema: { decay: 0.8 } }, "ema"],
    ];
    const behind = (options: Options) => {
      const optimizer = tables(options);
      for (let step = 0; step < 4; step++) {
        write(optimizer, [step], step);
        optimizer.catchUp({ e: [step] });
        optimizer.step({ rows: { e: [step] } });
      }
      return optimizer;
    };

    it.each(cases)(
      "a file of %o doesn't go on with %o, until they have caught up",
      (saved, other, option) => {
        const optimizer = behind(saved);
        const file = save(optimizer);
        const message = new RegExp(`^Option ${option}: rows of "e" have missed steps .* catchUp\\(\\)`);
        expect(() => load(file, other, type)).toThrow(message);
        const same = as(load(file, saved, type));
        same.catchUp();
        optimizer.catchUp();
        expect(snapshot(same)).toEqual(snapshot(optimizer));
        expect(() => load(save(optimizer), other, type)).not.toThrow();
      },
    );

    it.each([undefined, "exact", "lazy"] as const)(
      "goes on with the run's sparse, %s, whatever the optimizer had",
      (sparse) => {
        const run = behind({ sparse });
        for (const other of [undefined, "exact", "lazy"] as const) {
          const [restored, loaded] = [tables({ sparse: other }), tables({ sparse: other })];
          restore(restored, save(run));
          loaded.loadStateDict(structuredClone(run.stateDict()) as never);
          for (const optimizer of [restored, loaded]) {
            expect(optimizer.groups[0].sparse).toBe(sparse);
            expect(snapshot(optimizer)).toEqual(snapshot(run));
          }
        }
      },
    );

    it("a file goes on by the optimizer's own schedule or average only if they are the run's", () => {
      for (const [saved, other, option] of cases.filter(
        ([, { ema, lr }]) => ema || typeof lr === "function",
      )) {
        const file = save(behind(saved));
        const next = tables({ ...saved, ...other });
        const before = snapshot(next);
        expect(() => restore(next, file)).toThrow(new RegExp(`^Option ${option}: rows of "e" have missed`));
        expect(snapshot(next)).toEqual(before);
        restore(tables(saved), file);
      }
    });
  });

  it("refuses a file with counts of steps that weren't taken, or of no table, and changes nothing", () => {
    const optimizer = tables();
    optimizer.step({ rows: { e: [1] } });
    const { json, data } = split(save(optimizer));
    const header = JSON.parse(json);
    const counts = header["state.e.row_steps"];
    const [begin] = counts.data_offsets;
    const late = Buffer.from(data);
    late.writeUInt32LE(2, begin);
    const { "state.e.row_steps": _, ...others } = header;
    const bad: [file: Uint8Array, message: RegExp][] = [
      [withHeader(json, late), /e\.rowSteps of the state: got 2/],
      [
        withHeader(JSON.stringify({ ...header, "state.e.row_steps": { ...counts, dtype: "F32" } }), data),
        /U32/,
      ],
      [withHeader(JSON.stringify({ ...others, "state.b.row_steps": counts }), data), /b\.rowSteps/],
      ...[[1, ROWS], [ROWS, 1], []].map((shape): [Uint8Array, RegExp] => [
        withHeader(JSON.stringify({ ...header, "state.e.row_steps": { ...counts, shape } }), data),
        /row_steps": (shape is \[.*\], expected \[\d+\], as of "e"|data_offsets)/,
      ]),
    ];
    const before = snapshot(optimizer);
    for (const [file, message] of bad) {
      expect(() => restore(optimizer, file)).toThrow(message);
      expect(() => load(file, {}, type)).toThrow(message);
    }
    expect(snapshot(optimizer)).toEqual(before);
  });
});
