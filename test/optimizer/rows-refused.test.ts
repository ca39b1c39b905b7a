/** Steps by rows that are refused, with nothing changed. */

import { createHash } from "node:crypto";
import type { Options } from "rmsprop-wasm";
import { load, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { snapshot } from "../support/runs.ts";
import { as, every, ROWS, shapes, type Table, WIDTH, write } from "../support/table.ts";

/** The state, and every byte of the memory, gradients among them: a refused call doesn't even take room. */
function everythingIn(optimizer: Table) {
  const bytes = Buffer.from(optimizer.memory.buffer.slice(0));
  return {
    state: snapshot(optimizer),
    length: bytes.length,
    sha: createHash("sha1").update(bytes).digest("hex"),
  };
}

describe.each(ALL_ENTRIES)("$entry", ({ make, backend }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), options));
    expect(made.backend).toBe(backend);
    return made;
  };

  const refusals: [what: string, rows: unknown, message: RegExp, options?: Options][] = [
    ["an index that is too large", { e: [0, ROWS] }, /got 23 at 1 of "e".*from 0 to 22/],
    ["a negative index", { e: [-1] }, /got -1 at 0/],
    ["an index that isn't whole", { e: [1.5] }, /got 1.5/],
    ["an index that isn't a number", { e: ["1"] }, /got "1"/],
    ["a bigint", { e: [2, 1n] }, /got 1n at 1/],
    ["bigints", { e: new BigUint64Array([1n]) }, /got 1n at 0/],
    ["an index that 32 bits don't hold", { e: [2 ** 32 + 1] }, /got 4294967297 at 0/],
    ["a Float32Array with a NaN", { e: Float32Array.of(1, NaN) }, /got NaN at 1/],
    ["a hole", { e: new Array(3).fill(1, 0, 1) }, /got undefined at 1/],
    ["an unknown name", { embedding: [1] }, /no parameter "embedding"/],
    ["a name of every object", { toString: [1] }, /no parameter "toString"/],
    ["a tensor of one dimension", { b: [1] }, /"b" has the shape \[7\].*two dimensions/],
    ["no list", { e: 3 }, /got 3 for "e"/],
    ["no list by name", [1, 2], /Option rows/],
    ["coupled weight decay", { e: [1] }, /decoupledWeightDecay.*"lazy"/, { weightDecay: 0.1 }],
  ];

  it.each(refusals)("refuses %s, and changes nothing", (_, rows, message, options) => {
    const optimizer = tables(options);
    write(optimizer, every, 1);
    const before = everythingIn(optimizer);
    expect(() => optimizer.step({ rows: rows as never })).toThrow(message);
    // A row that isn't updated can't be wrong about its decay.
    if (!options) expect(() => optimizer.catchUp(rows as never)).toThrow(message);
    expect(everythingIn(optimizer)).toEqual(before);
  });

  it("refuses rows that momentum has moved since a forward pass could read them", () => {
    const optimizer = tables({ momentum: 0.9 });
    write(optimizer, every, 1);
    optimizer.step({ rows: { e: [1, 2] } });
    const before = snapshot(optimizer);
    expect(() => optimizer.step({ rows: { e: [2, 3] } })).toThrow(/catchUp\({ "e": rows }\).*"lazy"/);
    expect(() => optimizer.step()).toThrow(/catchUp/);
    expect(snapshot(optimizer)).toEqual(before);
    expect(optimizer.step({ rows: { e: [2, 1] } })).toBe(true);
    optimizer.catchUp({ e: [3] });
    expect(optimizer.step({ rows: { e: [3] } })).toBe(true);
  });

  it("refuses a tensor without a shape, whether it is made here or adopted", () => {
    const open = () => new WebAssembly.Memory({ initial: 2 });
    const [param, grad, count] = [1024, 4096, ROWS * WIDTH];
    const memory = open();
    const Floats = tables().params.e!.constructor as Float32ArrayConstructor;
    const views = {
      param: new Floats(memory.buffer, param, count),
      grad: new Floats(memory.buffer, grad, count),
    };
    const flat = [
      as(make({ e: new Float32Array(6) })),
      as(make({ e: views }, { memory })),
      as(make({ e: { param, grad, count } }, { memory: open() })),
    ];
    for (const optimizer of flat) {
      optimizer.grads.e!.fill(1); // the memory has grown for the state
      const before = everythingIn(optimizer);
      expect(() => optimizer.step({ rows: { e: [1] } })).toThrow(/"e" has no shape.*two dimensions/);
      expect(() => optimizer.catchUp({ e: [1] })).toThrow(/"e" has no shape.*two dimensions/);
      expect(everythingIn(optimizer)).toEqual(before);
    }
  });

  it("refuses a coupled decay that comes later, and a group that is exact with one", () => {
    const optimizer = tables();
    optimizer.step({ rows: { e: [1] } });
    expect(() => {
      optimizer.groups[0].weightDecay = 0.1;
    }).toThrow(/decoupledWeightDecay/);
    expect(optimizer.groups[0].weightDecay).toBe(0);
    expect(() => tables({ sparse: "exact", weightDecay: 0.1 })).toThrow(/decoupledWeightDecay/);
  });

  it("refuses to make a group exact whose decay is coupled, before any step by rows: no file of it could be loaded", () => {
    const optimizer = tables({ weightDecay: 0.5 });
    const before = snapshot(optimizer);
    expect(() => {
      optimizer.groups[0].sparse = "exact";
    }).toThrow(/weightDecay makes a gradient for every row/);
    expect(snapshot(optimizer)).toEqual(before);
    optimizer.groups[0].sparse = "lazy";
    expect(load(save(optimizer), {}).groups[0].sparse).toBe("lazy");
    const exact = tables({ sparse: "exact" });
    expect(() => {
      exact.groups[0].weightDecay = 0.5;
    }).toThrow(/weightDecay makes a gradient for every row/);
  });
});
