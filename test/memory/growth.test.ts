/** Memories that others grow: state goes only to bytes that the optimizer made or was given. */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { MemoryError, type Options, RMSprop } from "rmsprop-wasm";
import { restore, save } from "rmsprop-wasm/checkpoint";
import { instantiate } from "rmsprop-wasm/core";
import { describe, expect, it, vi } from "vitest";
import { NODES } from "../../compat/runtimes.ts";
import { findTool } from "../../compat/tools.ts";
import { ENTRIES } from "../support/entries.ts";
import { stubWebAssembly } from "../support/forbidden.ts";
import { programOf } from "../support/programs.ts";
import { describeWith } from "../support/required.ts";

const PAGE = 65_536;
const MARK = 0x5e;

describe.each(ENTRIES)("$entry", ({ make }) => {
  const kinds = {
    "a memory of its own": () => undefined,
    "a given memory": () => new WebAssembly.Memory({ initial: 1, maximum: 2000 }),
    "a shared memory": () => new WebAssembly.Memory({ initial: 1, maximum: 2000, shared: true }),
  };

  it.each(Object.entries(kinds))("in %s never writes to pages that others have grown", (_, makeMemory) => {
    const change = fc.oneof(
      fc.record({ grow: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ set: fc.constantFrom("momentum", "centered", "restore", "report", "step" as const) }),
    );
    const run = fc.property(
      fc.integer({ min: 1, max: 40_000 }),
      fc.array(change, { minLength: 2, maxLength: 8 }),
      (count, changes) => {
        // Two groups, so that planes begin at many offsets of a page.
        const groups = [{ params: { w: [count] } }, { params: { v: [3] } }];
        const optimizer = make(groups, { memory: makeMemory() });
        const full = save(make(groups, { momentum: 0.9, centered: true }));
        const pages: number[] = [];
        for (const change of changes) {
          if ("grow" in change) {
            const start = optimizer.memory.grow(change.grow);
            for (let i = 0; i < change.grow; i++) pages.push(start + i);
            new Uint8Array(optimizer.memory.buffer, start * PAGE).fill(MARK);
          } else if (change.set === "momentum") {
            for (const group of optimizer.groups) group.momentum = 0.9;
          } else if (change.set === "centered") {
            for (const group of optimizer.groups) group.centered = true;
          } else if (change.set === "restore") restore(optimizer, full);
          else {
            optimizer.grads.w.fill(1);
            optimizer.grads.v.fill(1);
            optimizer[change.set]();
          }
        }
        const { buffer } = optimizer.memory;
        const untouched = (page: number) =>
          new Uint8Array(buffer, page * PAGE, PAGE).every((byte) => byte === MARK);
        return pages.every(untouched);
      },
    );
    fc.assert(run, { numRuns: 60 });
  });

  it.each([9_000, 17_500])("leaves pages alone that another takes while it grows (%i elements)", (count) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
    const { grow } = memory;
    let others: number | undefined;
    const optimizer = make({ w: [count] }, { memory });
    // Another thread's growth, between the look at the memory's length and the optimizer's own growth.
    memory.grow = (pages) => {
      others ??= grow.call(memory, 1);
      new Uint8Array(memory.buffer, others * PAGE, PAGE).fill(MARK);
      return grow.call(memory, pages);
    };
    optimizer.groups[0].momentum = 0.9;
    optimizer.groups[0].centered = true;
    expect(new Uint8Array(memory.buffer, others! * PAGE, PAGE).every((byte) => byte === MARK)).toBe(true);
    expect(optimizer.state.w.momentumBuffer).toEqual(new Float32Array(count));
  });

  it.each<Options>([
    {},
    { momentum: 0.9 },
    { centered: true },
    { ema: { decay: 0.9 } },
    { rowwiseState: true },
    { rowwiseState: true, ema: { decay: 0.9 } },
  ])(
    "leaves bytes beside tensors alone, and the first ones, where planes that aren't there would be: %o",
    (options) => {
      // Denormals, which a flush would clear.
      const memory = new WebAssembly.Memory({ initial: 1 });
      new Uint32Array(memory.buffer).fill(1);
      const optimizer = make(
        { e: [6, 5], b: { param: 1024, grad: 2048, count: 7, shape: [7] } },
        { memory, ...options },
      );
      for (let step = 0; step < 130; step++) {
        if (step % 3 === 0) optimizer.catchUp();
        for (const grad of Object.values(optimizer.grads)) grad.fill(0.5);
        optimizer.step(step % 3 === 0 ? {} : { rows: { e: step % 3 === 1 ? [0, 4] : [0, 4, 5] } });
        if (step % 3 === 1) optimizer.catchUp({ e: [4, 5] });
      }
      optimizer.catchUp();
      expect(optimizer.steps).toBe(130);
      const changed = [...new Uint32Array(memory.buffer, 0, PAGE / 4)].flatMap((word, i) =>
        word === 1 ? [] : [i * 4],
      );
      const adopted = [1024, 2048].flatMap((ptr) => Array.from({ length: 7 }, (_, i) => ptr + 4 * i));
      expect(changed).toEqual(adopted);
    },
  );

  it("refuses a memory of 64-bit addresses, which takes a bigint alone", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
    memory.grow = (pages) => {
      if (typeof pages !== "bigint") throw new TypeError("Cannot convert a number to a BigInt");
      return 1;
    };
    expect(() => make({ w: [4] }, { memory })).toThrow(MemoryError);
    expect(() => make({ w: [4] }, { memory })).toThrow(/64-bit addresses, which are not supported.*memory64/);
    expect(() => instantiate(memory)).toThrow(/64-bit addresses/);
    expect(memory.buffer.byteLength).toBe(PAGE);
  });
});

/** Has every memory made by `make`, until `body` returns. */
function withMemories(make: (descriptor: WebAssembly.MemoryDescriptor) => void, body: () => void): void {
  const { Memory } = WebAssembly;
  stubWebAssembly({
    Memory: class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        make(descriptor);
        super(descriptor);
      }
    },
  });
  try {
    body();
  } finally {
    vi.unstubAllGlobals();
  }
}

it("a pool reserves no more addresses than its state may need, and some for its callers", () => {
  const made: WebAssembly.MemoryDescriptor[] = [];
  withMemories(
    (descriptor) => made.push(descriptor),
    () => {
      using optimizer = new RMSprop({ w: [1000] }, { threads: 2 });
      optimizer.groups[0].momentum = 0.9;
      optimizer.groups[0].centered = true;
      optimizer.memory.grow(200);
      using larger = new RMSprop({ w: [100_000] }, { threads: 2 });
      larger.groups[0].momentum = 0.9;
    },
  );
  expect(made).toEqual([
    { initial: 1, maximum: 2 + 256, shared: true },
    { initial: 19, maximum: 2 * 19 + 256, shared: true },
  ]);
});

it("a pool asks for no more than 4 GiB of addresses, and does with less where an engine refuses them", () => {
  const made: WebAssembly.MemoryDescriptor[] = [];
  const refuseShared = (descriptor: WebAssembly.MemoryDescriptor) => {
    made.push(descriptor);
    if (descriptor.shared || descriptor.initial > 100) throw new RangeError("could not allocate memory");
  };
  withMemories(refuseShared, () => {
    using optimizer = new RMSprop({ w: [4] }, { threads: 2 });
    optimizer.grads.w.fill(1);
    expect(optimizer.step()).toBe(true);
    expect(optimizer.params.w[3]).toBeLessThan(0);
    expect(() => new RMSprop({ w: [2 ** 28] }, { threads: 2 })).toThrow(/There is no memory of 3072.\d MiB/);
  });
  const pages = expect.any(Number);
  expect(made).toEqual([
    { initial: 1, maximum: 2 + 256, shared: true },
    { initial: 1 },
    { initial: pages, maximum: 65_536, shared: true },
    { initial: pages },
  ]);
});

it("where there is no memory left, the message says what to do about many optimizers", () => {
  const refuse = () => {
    throw new RangeError("could not allocate memory");
  };
  withMemories(refuse, () => {
    expect(() => new RMSprop({ w: [4] })).toThrow(MemoryError);
    expect(() => new RMSprop({ w: [4] })).toThrow(
      expect.objectContaining({ cause: new RangeError("could not allocate memory") }),
    );
    expect(() => new RMSprop({ w: [4] })).toThrow(/dispose\(\) of finished optimizers.*one shared `memory`/);
  });
});

const newest = NODES.at(-1)!;
const node = { name: newest, isThere: findTool(newest) !== undefined, install: "npm ci --prefix compat" };
describeWith(node, "in an engine with 64-bit memories", () => {
  it.each(["index", "js", "core"])("%s refuses one and leaves it alone", async (entry) => {
    const use = entry === "core" ? "instantiate(memory)" : "new RMSprop({ w: [4] }, { memory })";
    const contents = `
      import { ${use.match(/[A-Za-z]+(?=\()/)![0]} } from "./${entry}.ts";
      const memory = new WebAssembly.Memory({ initial: 1n, maximum: 4n, address: "i64" });
      const { buffer } = memory;
      try { ${use}; } catch (error) { console.log(error.name, /64-bit/.test(error.message), buffer.byteLength); }`;
    const said = execFileSync(findTool(newest)!.path, [await programOf(contents)], { encoding: "utf8" });
    expect(said).toBe(`MemoryError true ${PAGE}\n`);
  });
});
