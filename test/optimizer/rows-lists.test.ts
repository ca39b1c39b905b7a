/** Lists of rows, in any order and form, of tables that were adopted or placed by an allocator. */

import fc from "fast-check";
import { MemoryError, OptionError, type Options, RMSprop } from "rmsprop-wasm";
import { describe, expect, it, vi } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { snapshot } from "../support/runs.ts";
import { as, ROWS, shapes, valuesOf, WIDTH, write } from "../support/table.ts";

type Call = (...args: number[]) => number;

describe.each(ALL_ENTRIES)("$entry", ({ make, backend }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), options));
    expect(made.backend).toBe(backend);
    return made;
  };

  it("takes lists in any order and form, and each row once", () => {
    const anyRows = fc.array(fc.nat(ROWS - 1), { maxLength: 300 });
    fc.assert(
      fc.property(fc.array(anyRows, { minLength: 1, maxLength: 6 }), fc.boolean(), (steps, isClipped) => {
        const options = isClipped ? { globalClipNorm: 0.3 } : {};
        const crew = [0, 1, 2, 3].map(() => tables(options));
        steps.forEach((rows, step) => {
          for (const optimizer of crew) write(optimizer, rows, step);
          crew[0]!.step({ rows: { e: rows } });
          crew[1]!.step({ rows: { e: Uint32Array.from(new Set(rows)).reverse() } });
          crew[2]!.step({ rows: { e: Int32Array.from([...rows, ...rows].sort()) } });
          crew[3]!.step({ rows: { e: Float64Array.from(rows).sort() } });
        });
        for (const other of crew.slice(1)) expect(snapshot(other)).toEqual(snapshot(crew[0]!));
      }),
      { numRuns: 40 },
    );
  });

  it("takes a list in the memory", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const [there, here] = [tables({ memory, sparse: "exact" }), tables()];
    const ptr = memory.grow(1) * 65_536;
    new Uint32Array(memory.buffer, ptr, 3).set([5, 1, 5]);
    for (const optimizer of [there, here]) write(optimizer, [1, 5], 1);
    there.step({ rows: { e: { ptr, count: 3 } } });
    here.step({ rows: { e: [1, 5] } });
    expect(valuesOf(there)).toEqual(valuesOf(here));
    const before = snapshot(there);
    const bad = (list: { ptr: number; count: number }) => () => there.step({ rows: { e: list } });
    expect(bad({ ptr: ptr + 2, count: 1 })).toThrow(MemoryError);
    expect(bad({ ptr: memory.buffer.byteLength - 4, count: 2 })).toThrow(MemoryError);
    expect(bad({ ptr, count: 1.5 })).toThrow(OptionError);
    expect(snapshot(there)).toEqual(before);
  });

  it("empties no view by the first step by rows", () => {
    const optimizer = as(make({ e: [50_000, 3], b: [7] }));
    const views = [optimizer.params.e!, optimizer.grads.e!, optimizer.state.e!.squareAvg];
    views[1]!.fill(1, 0, 3);
    optimizer.step({ rows: { e: [0] } });
    optimizer.step({ rows: { e: [0] } });
    expect(views.map(({ length }) => length)).toEqual([150_000, 150_000, 150_000]);
    expect(views[0]![0]).toBeLessThan(0);
  });

  it("takes lists wherever an allocator places them, 8 bytes aligned or not", () => {
    const bytes = tables().params.e!.BYTES_PER_ELEMENT;
    for (const offset of [0, 4, 8, 12]) {
      const memory = new WebAssembly.Memory({ initial: 2 });
      let end = 1024 + offset;
      const allocate = (byteLength: number) => {
        const ptr = Math.ceil(end / bytes) * bytes;
        end = ptr + byteLength;
        return ptr;
      };
      const [placed, ordinary] = [tables({ memory, allocate, centered: true }), tables({ centered: true })];
      for (const rows of [[1], [2], [1, 2]]) {
        for (const optimizer of [placed, ordinary]) {
          write(optimizer, rows, 1);
          optimizer.step({ rows: { e: rows } });
        }
      }
      expect(valuesOf(placed)).toEqual(valuesOf(ordinary));
    }
  });

  it("takes rows of a tensor that was adopted with its shape", () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const ordinary = tables();
    const Floats = ordinary.params.e!.constructor as Float32ArrayConstructor;
    const views = () => {
      const [param, grad] = [1024, 4096].map((ptr) => new Floats(memory.buffer, ptr, ROWS * WIDTH));
      return { param: param!, grad: grad! };
    };
    views().param.set(ordinary.params.e!);
    const places = { param: 1024, grad: 4096, count: ROWS * WIDTH };
    const adopt = (shape: unknown, tensor: object = places) =>
      as(make({ e: { ...tensor, shape } as never, b: [7] }, { memory }));
    for (const shape of [[ROWS], [ROWS, WIDTH + 1], "no", [ROWS, WIDTH, 0]]) {
      expect(() => adopt(shape)).toThrow(/shape .* whose product is 115/);
    }
    const adopted = adopt([ROWS, WIDTH]);
    for (const rows of [
      [1, 2],
      [2, 7],
    ]) {
      for (const optimizer of [adopted, ordinary]) {
        write(optimizer, rows, 1);
        optimizer.step({ rows: { e: rows } });
      }
    }
    expect(valuesOf(adopted)).toEqual(valuesOf(ordinary));
    const byViews = adopt([ROWS, WIDTH], views());
    byViews.grads.e!.fill(1); // the memory has grown for the state
    expect(byViews.step({ rows: { e: [3] } })).toBe(true);
  });
});

it.each([
  [{}, 1, 1],
  [{}, 2048, 1],
  [{}, 2049, 2],
  // Each row has an entry of its own, which makes the lists shorter.
  [{ momentum: 0.9 }, 512, 1],
  [{ momentum: 0.9 }, 2048, 4],
] as const)("calls the kernel for many rows at once: %o, %i rows", (options, count, expected) => {
  let calls = 0;
  const { Instance } = WebAssembly;
  function Counted(module: WebAssembly.Module, imports: WebAssembly.Imports) {
    const { updateRows, ...others } = new Instance(module, imports).exports as Record<string, Call>;
    const counted = (...args: number[]) => {
      calls++;
      return updateRows!(...args);
    };
    return { exports: { ...others, updateRows: counted } };
  }
  vi.spyOn(WebAssembly, "Instance").mockImplementation(Counted as never);
  try {
    const optimizer = new RMSprop({ e: [3000, 2] }, { ...options, backend: "wasm" });
    optimizer.grads.e.fill(1);
    optimizer.step({ rows: { e: Array.from({ length: count }, (_, row) => (row * 7) % 3000) } });
    expect(calls).toBe(expected);
    expect(optimizer.params.e.filter((p) => p !== 0)).toHaveLength(2 * count);
  } finally {
    vi.restoreAllMocks();
  }
});
