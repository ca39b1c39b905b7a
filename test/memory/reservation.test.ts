/** One reservation for all that a call places: the memory grows once, or the call fails and has changed nothing. */
import { BackendError, MemoryError } from "rmsprop-wasm";
import { RMSprop as RMSpropJs } from "rmsprop-wasm/js";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";

const PAGE = 65_536;

/** A memory of one page, and the sizes of the growths that succeeded in it. */
function countingMemory(maximum: number, shared = false) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum, shared });
  const growths: number[] = [];
  const { grow } = memory;
  memory.grow = (pages) => {
    const start = grow.call(memory, pages);
    growths.push(pages);
    return start;
  };
  return { memory, growths };
}

/** Groups of a plane of one page each, and one of tensors in the memory's first page. */
const groups = [
  { params: { a: [PAGE / 4] } },
  { params: { b: [PAGE / 8], c: [PAGE / 8] } },
  { params: { d: { param: 1024, grad: 2048, count: 100 }, e: [PAGE / 4] } },
];

describe.each(ENTRIES)("$entry", ({ make, backend }) => {
  it.each([false, true])("grows a given memory once for all groups (shared: %s)", (shared) => {
    const { memory, growths } = countingMemory(100, shared);
    const optimizer = make(groups, { memory, ema: { decay: 0.9 } });
    expect(optimizer.backend).toBe(backend);
    expect(growths).toHaveLength(1);
    expect(growths[0]).toBeGreaterThanOrEqual(12);
    const full = make(groups.slice(0, 2), { momentum: 0.9, centered: true }).stateDict();
    const other = countingMemory(100, shared);
    const small = make(groups.slice(0, 2), { memory: other.memory });
    small.loadStateDict(full as never);
    expect(other.growths).toHaveLength(2);
  });

  it("takes no more pages than it needs, behind its own or behind those of others", () => {
    const { memory, growths } = countingMemory(100);
    const half = PAGE / 2 - 4096;
    const optimizer = make([{ params: { a: [half / 4] } }, { params: { b: [PAGE / 4] } }], { memory });
    // Three halves and three wholes; then one each, behind what is left of the last page or on new ones.
    optimizer.groups[1]!.momentum = 0.9;
    memory.grow(1);
    optimizer.groups[1]!.centered = true;
    expect(growths).toEqual([5, 1, 1, 2]);
  });

  it("places nothing where it fails for want of memory", () => {
    // Room for the first two groups, whichever way they are placed, and not for the third.
    const { memory, growths } = countingMemory(9);
    const bytes = new Uint8Array(memory.buffer).fill(0x5e);
    expect(() => make(groups, { memory })).toThrow(MemoryError);
    expect(growths).toEqual([]);
    expect(bytes.length).toBe(PAGE);
    expect(bytes.every((byte) => byte === 0x5e)).toBe(true);
  });

  it("places nothing of a state that it has no room for, and empties no view", () => {
    const two = groups.slice(0, 2);
    const full = make(two, { momentum: 0.9, centered: true }).stateDict();
    const { memory, growths } = countingMemory(10);
    const optimizer = make(two, { memory });
    const { grads, params } = optimizer;
    const views = [params.a, params.b, grads.a, grads.c];
    expect(() => optimizer.loadStateDict(full as never)).toThrow(MemoryError);
    expect(growths).toHaveLength(1);
    expect(views.map(({ length }) => length)).toEqual([PAGE / 4, PAGE / 8, PAGE / 4, PAGE / 8]);
    expect(optimizer.groups.map(({ momentum, centered }) => [momentum, centered])).toEqual([
      [0, false],
      [0, false],
    ]);
    expect(optimizer.step()).toBe(true);
    // The room is there for one group's: nothing of the attempt before holds it.
    optimizer.groups[0].momentum = 0.9;
    expect(growths).toHaveLength(2);
  });

  it("asks an allocator for all before it believes any of it", () => {
    const memory = new WebAssembly.Memory({ initial: 10 });
    const bytes = new Uint8Array(memory.buffer).fill(0x5e);
    let end = PAGE;
    const allocate = (byteLength: number) => {
      const ptr = end;
      end += byteLength;
      return end > 8 * PAGE ? 0 : ptr;
    };
    expect(() => make(groups, { memory, allocate })).toThrow(/got byte offset 0/);
    expect(bytes.every((byte) => byte === 0x5e)).toBe(true);
  });
});

it("a backend that isn't there leaves a given memory as it was", () => {
  const { memory, growths } = countingMemory(100);
  let asked = 0;
  const allocate = () => ++asked * PAGE;
  for (const options of [{ memory }, { memory, allocate }]) {
    const make = () => new RMSpropJs({ w: [4] }, { ...options, backend: "wasm" });
    expect(make).toThrow(BackendError);
    expect(make).toThrow(/"wasm" isn't in this entry: import "rmsprop-wasm"/);
  }
  expect([growths, asked]).toEqual([[], 0]);
});

it("initial values in a memory that threads share are copied before an allocator gives their bytes away", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
  const values = new Float32Array(memory.buffer, 1024, 4).fill(7);
  memory.grow(1); // the view has another buffer than the memory from here on
  let end = 1024;
  const allocate = (byteLength: number) => {
    end += byteLength;
    return end - byteLength;
  };
  const optimizer = new RMSpropJs({ w: values }, { memory, allocate });
  expect(optimizer.params.w).toEqual(new Float32Array(4).fill(7));
});
