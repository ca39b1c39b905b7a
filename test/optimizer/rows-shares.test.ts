/** Steps by rows in shares, of one optimizer and of those attached to it. */

import { type Options, RMSprop, StaleViewError, type StepOptions } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { snapshot } from "../support/runs.ts";
import { as, every, ROWS, rowsAt, shapes, type Table, valuesOf, WIDTH, write } from "../support/table.ts";

describe.each(ALL_ENTRIES)("$entry", ({ make, backend }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), options));
    expect(made.backend).toBe(backend);
    return made;
  };

  it("shares a step by rows", () => {
    const options = { momentum: 0.9, sparse: "exact" } as const;
    const [whole, shared] = [tables(options), tables(options)];
    for (let step = 0; step < 20; step++) {
      const rows = step % 5 === 4 ? every : rowsAt(step);
      for (const optimizer of [whole, shared]) {
        optimizer.catchUp();
        write(optimizer, rows, step);
      }
      const named: StepOptions = step % 5 === 4 ? {} : { rows: { e: rows } };
      whole.step(named);
      for (const index of [2, 0, 1]) shared.step({ ...named, shard: { index, count: 3 } });
      expect(snapshot(shared)).toEqual(snapshot(whole));
    }
    const ranges = [0, 1, 2].map((index) => shared.shareRanges({ index, count: 3 }).e!);
    expect(ranges.map(({ start, end }) => [start % WIDTH, end % WIDTH])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect([ranges[0]!.start, ranges[2]!.end]).toEqual([0, ROWS * WIDTH]);
  });

  it("goes on with the gradients that were written before its first share made the memory grow", () => {
    const [whole, shared] = [make({ e: [300, 16] }), make({ e: [300, 16] })];
    for (const optimizer of [whole, shared]) {
      optimizer.groups[0].momentum = 0.9; // takes the room that was left for the lists of rows
      optimizer.grads.e.forEach((_, i, grads) => {
        grads[i] = Math.sin(i);
      });
    }
    const stale = shared.grads.e;
    const { byteLength } = shared.memory.buffer;
    const rows = { e: [299, 7, 7, 150] };
    whole.step({ rows });
    for (const index of [1, 0, 2]) shared.step({ rows, shard: { index, count: 3 } });
    expect(snapshot(shared)).toEqual(snapshot(whole));
    expect(shared.memory.buffer.byteLength).toBeGreaterThan(byteLength);
    stale[0] = 1;
    expect(() => shared.step({ rows, shard: { index: 0, count: 3 } })).toThrow(StaleViewError);
  });
});

const memory = () => new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });

it("is shared by optimizers that are attached, if the tables are sparse from the beginning", () => {
  const [whole, owner] = [
    new RMSprop(shapes()),
    new RMSprop(shapes(), { memory: memory(), sparse: "exact" }),
  ];
  const crew = [owner, RMSprop.attach(structuredClone(owner.handle))].map(as);
  for (let step = 0; step < 10; step++) {
    for (const optimizer of [as(whole), as(owner)]) write(optimizer, rowsAt(step), step);
    const rows = { e: rowsAt(step) };
    whole.step({ rows });
    crew.forEach((optimizer, index) => void optimizer.step({ rows, shard: { index, count: 2 } }));
  }
  expect(valuesOf(as(owner))).toEqual(valuesOf(as(whole)));
  const late = RMSprop.attach(new RMSprop(shapes(), { memory: memory() }).handle);
  expect(() => late.step({ rows: { e: [1] } })).toThrow(/attached.*set sparse/);
});

it("takes nothing of the memory for an optimizer that is attached and makes no step by rows", () => {
  const owner = new RMSprop(shapes(), { memory: memory(), sparse: "exact", momentum: 0.9 });
  owner.step({ rows: { e: [1] } });
  const { byteLength } = owner.memory.buffer;
  for (let i = 0; i < 20; i++) {
    const attached = as(RMSprop.attach(structuredClone(owner.handle)));
    attached.report();
    expect(attached.stateDict().tensors).toEqual(owner.stateDict().tensors);
    attached.dispose();
  }
  expect(owner.memory.buffer.byteLength).toBe(byteLength);
});

it("lets an optimizer that is attached catch up before its first step", () => {
  const crew = [0, 1].map(() =>
    as(new RMSprop(shapes(), { memory: memory(), sparse: "exact", momentum: 0.9 })),
  ) as [Table, Table];
  for (const optimizer of crew) {
    for (let step = 0; step < 5; step++) {
      write(optimizer, rowsAt(step), step);
      optimizer.catchUp({ e: rowsAt(step) });
      optimizer.step({ rows: { e: rowsAt(step) } });
    }
  }
  const attached = RMSprop.attach(structuredClone((crew[0] as unknown as RMSprop).handle));
  attached.catchUp();
  crew[1].catchUp();
  expect(valuesOf(crew[0])).toEqual(valuesOf(crew[1]));
});

it("refuses whatever an optimizer would do that was attached before rows were counted, and changes nothing", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });
  const [owner, alone] = [new RMSprop(shapes(), { memory }), new RMSprop(shapes())].map(as) as [Table, Table];
  const early = as(RMSprop.attach(structuredClone(owner.handle)));
  const take = (optimizer: Table, twin: Table, options: StepOptions) => {
    for (const one of [optimizer, twin]) write(one, rowsAt(1), 1);
    optimizer.step(options);
    twin.step(options);
  };
  take(early, alone, {});
  take(owner, alone, { rows: { e: rowsAt(2) } });
  const before = snapshot(owner);
  // Its dense steps would leave the counts as they are, and its state dict would lack them.
  for (const call of [
    () => early.step(),
    () => early.stateDict(),
    () => early.catchUp(),
    () => early.report(),
  ]) {
    expect(call).toThrow(/attached before rows were counted/);
  }
  expect(snapshot(owner)).toEqual(before);
  take(as(RMSprop.attach(structuredClone(owner.handle))), alone, {});
  for (const one of [owner, alone]) one.catchUp();
  expect(valuesOf(owner)).toEqual(valuesOf(alone));
});
