/** Steps by rows that stop and go on: state dicts and checkpoints hold the steps of each row. */

import { MemoryError, type Options } from "rmsprop-wasm";
import { load, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { snapshot } from "../support/runs.ts";
import { as, MOVING, ROWS, rowsAt, shapes, valuesOf, write } from "../support/table.ts";

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
});
