/** Working in somebody else's memory: tensors updated where they lie, state placed beside them. */
import { MemoryError, OptionError, type Options, ParameterError, StaleViewError } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { bits } from "../support/kernels.ts";

const PAGE = 65_536;

describe.each(ALL_ENTRIES)("$entry", ({ make, real }) => {
  const { Array: Floats, bytes } = real;
  const [bParam, bGrad] = [9000 + bytes, 9104];
  const values = (count: number, seed: number) => new Floats(count).map((_, i) => Math.sin(i * 7 + seed));

  /** A module's memory with two tensors in it, param and grad of the second one an element off a vector's alignment. */
  const module = (pages = 1) => {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 40 });
    const at = (byteOffset: number, count: number) => new Floats(memory.buffer, byteOffset, count);
    return { memory, at };
  };
  const options = { momentum: 0.9, centered: true, weightDecay: 0.01 };

  /** What the same steps give in a memory of the optimizer's own. */
  const expected = (steps: number) => {
    const optimizer = make({ a: values(37, 1), b: values(5, 2) }, options);
    for (let step = 0; step < steps; step++) {
      optimizer.grads.a.set(values(37, step));
      optimizer.grads.b.set(values(5, -step));
      optimizer.step();
    }
    return optimizer;
  };

  it("updates views where they lie", () => {
    const { memory, at } = module();
    at(4096, 37).set(values(37, 1));
    at(bParam, 5).set(values(5, 2));
    const a = { param: at(4096, 37), grad: at(8192, 37) };
    const b = { param: at(bParam, 5), grad: at(bGrad, 5) };
    const optimizer = make({ a, b }, { ...options, memory });
    expect(optimizer.memory).toBe(memory);
    for (let step = 0; step < 3; step++) {
      optimizer.grads.a.set(values(37, step));
      optimizer.grads.b.set(values(5, -step));
      optimizer.step();
    }
    const reference = expected(3);
    expect(bits(at(4096, 37))).toEqual(bits(reference.params.a));
    expect(bits(at(bParam, 5))).toEqual(bits(reference.params.b));
    expect(bits(optimizer.state.b.gradAvg!)).toEqual(bits(reference.state.b.gradAvg!));
    expect(optimizer.params.a.byteOffset).toBe(4096);
  });

  it("updates byte offsets, and never holds their gradients for lost", () => {
    const { memory, at } = module();
    at(4096, 37).set(values(37, 1));
    at(bParam, 5).set(values(5, 2));
    const optimizer = make(
      { a: { param: 4096, grad: 8192, count: 37 }, b: { param: bParam, grad: bGrad, count: 5 } },
      { ...options, memory },
    );
    for (let step = 0; step < 3; step++) {
      memory.grow(1);
      at(8192, 37).set(values(37, step));
      at(bGrad, 5).set(values(5, -step));
      expect(optimizer.step()).toBe(true);
    }
    expect(bits(at(4096, 37))).toEqual(bits(expected(3).params.a));
  });

  it("places what it needs on pages of its own, and nothing on anybody else's", () => {
    const { memory, at } = module();
    new Uint8Array(memory.buffer).fill(0x5e);
    const optimizer = make({ a: { param: 0, grad: 1024, count: 8 }, c: [300] }, { ...options, memory });
    memory.grow(2); // somebody else's
    new Uint8Array(memory.buffer, 2 * PAGE).fill(0x5e);
    optimizer.groups[0].biasCorrection = true;
    at(1024, 8).set(values(8, 3));
    optimizer.grads.c.set(values(300, 4));
    optimizer.step();
    expect(optimizer.params.c.byteOffset).toBeGreaterThanOrEqual(PAGE);
    expect(optimizer.params.c.byteOffset).toBeLessThan(2 * PAGE);
    const bytes = new Uint8Array(memory.buffer);
    expect(bytes.subarray(2048, PAGE).every((byte) => byte === 0x5e)).toBe(true);
    expect(bytes.subarray(2 * PAGE).every((byte) => byte === 0x5e)).toBe(true);
  });

  it.each([
    ["to what is left of its own pages", 160, 2],
    ["to new pages, wherever the memory ends by then", 36_000, 4],
  ])("takes state that comes into use later %s, zeroed", (_, byteLength, page) => {
    const count = byteLength / bytes;
    const { memory, at } = module(2);
    const optimizer = make({ a: { param: 1024, grad: PAGE, count } }, { memory });
    const theirs = memory.grow(1) * PAGE;
    new Uint8Array(memory.buffer, theirs).fill(0x5e);
    optimizer.groups[0].momentum = 0.9;
    expect(Math.floor(optimizer.state.a.momentumBuffer!.byteOffset / PAGE)).toBe(page);
    expect(optimizer.state.a.momentumBuffer).toEqual(new Floats(count));
    at(PAGE, count).fill(1);
    expect(optimizer.step()).toBe(true);
    expect(optimizer.state.a.momentumBuffer![count - 1]).not.toBe(0);
    expect(new Uint8Array(memory.buffer, theirs, PAGE).every((byte) => byte === 0x5e)).toBe(true);
  });

  it("asks the caller's allocator for every byte, and zeroes what that gives", () => {
    const { memory, at } = module(2);
    new Uint8Array(memory.buffer).fill(0xff);
    const asked: number[] = [];
    let top = PAGE;
    const allocate = (byteLength: number) => {
      asked.push(byteLength);
      top += byteLength + 16;
      return top - byteLength;
    };
    const optimizer = make(
      { a: { param: 1024, grad: 2048, count: 3 }, c: [5] },
      { memory, allocate, momentum: 0.9 },
    );
    const padded = bytes === 4 ? 32 : 48;
    expect(asked).toEqual([padded, padded, padded, padded, 3 * bytes, 3 * bytes]); // param, grad and state of c; state of a
    expect(memory.buffer.byteLength).toBe(2 * PAGE);
    expect(optimizer.grads.c).toEqual(new Floats(5));
    expect(optimizer.state.a.squareAvg).toEqual(new Floats(3));
    expect(at(1024, 3)[0]).toBeNaN();
  });

  it.each([0, 1, 2, 3])("takes steps by rows at addresses that are %i elements off", (off) => {
    const run = (options: Options) => {
      const optimizer = make({ e: [9, 3] }, options);
      for (const rows of [
        [1, 4],
        [4, 8],
      ]) {
        optimizer.grads.e.fill(0.5);
        optimizer.step({ rows: { e: rows } });
      }
      optimizer.catchUp();
      return optimizer.stateDict();
    };
    const { memory } = module(4);
    let top = PAGE + off * bytes;
    const allocate = (byteLength: number) => {
      const ptr = top;
      top += Math.ceil(byteLength / 16) * 16;
      return ptr;
    };
    expect(run({ memory, allocate })).toEqual(run({}));
  });

  it("follows an allocator that grows the memory", () => {
    const { memory } = module();
    const allocate = (byteLength: number) => memory.grow(Math.ceil(byteLength / PAGE)) * PAGE;
    const optimizer = make({ w: [10] }, { memory, allocate });
    optimizer.grads.w.fill(1);
    expect(optimizer.step()).toBe(true);
    expect(optimizer.params.w[9]).not.toBe(0);
  });

  it("refuses a step whose gradients may have been written to a view that growth has emptied", () => {
    const { memory, at } = module();
    const a = { param: at(1024, 4), grad: at(2048, 4) };
    const optimizer = make({ a }, { memory }); // the state took a new page
    expect(a.grad.length).toBe(0);
    expect(() => optimizer.step()).toThrow(StaleViewError);
    optimizer.grads.a.fill(1);
    expect(optimizer.step()).toBe(true);
  });

  it("updates tensors that follow each other as one", () => {
    const { memory, at } = module();
    const counts = [3, 1, 30, 8];
    let element = 0;
    const params = Object.fromEntries(
      counts.map((count, i) => {
        const at = { param: 1024 + element * bytes, grad: 8192 + element * bytes, count };
        element += count;
        return [`t${i}`, at];
      }),
    );
    at(1024, 42).set(values(42, 1));
    at(8192, 42).set(values(42, 2));
    make(params, { ...options, memory }).step();
    const whole = make({ t: values(42, 1) }, options);
    whole.grads.t.set(values(42, 2));
    whole.step();
    expect(bits(at(1024, 42))).toEqual(bits(whole.params.t));
  });

  it.each<[string, (at: (ptr: number, count: number) => Float32Array) => object, RegExp]>([
    [
      "another memory's view",
      () => ({ param: new Floats(4), grad: new Floats(4) }),
      /param of "w" is a view of another memory/,
    ],
    [
      "a misaligned offset",
      () => ({ param: 1024 + bytes / 2, grad: 2048, count: 4 }),
      new RegExp(`param of "w": got byte offset ${1024 + bytes / 2}`),
    ],
    ["a negative offset", () => ({ param: 1024, grad: -4, count: 4 }), /grad of "w": got byte offset -4/],
    [
      "a range past the end",
      () => ({ param: 1024, grad: PAGE - 2 * bytes, count: 4 }),
      new RegExp(`grad of "w": bytes ${PAGE - 2 * bytes} to ${PAGE + 2 * bytes} lie outside`),
    ],
    [
      "an overlap",
      (at) => ({ param: at(1024, 4), grad: at(1024 + 3 * bytes, 4) }),
      new RegExp(
        `grad of "w" at byte ${1024 + 3 * bytes} overlaps param of "w", which takes bytes 1024 to ${1024 + 4 * bytes}`,
      ),
    ],
  ])("refuses %s, and leaves the memory alone", (_, source, message) => {
    const { memory, at } = module();
    expect(() => make({ w: source(at) } as never, { memory })).toThrow(MemoryError);
    expect(() => make({ w: source(at) } as never, { memory })).toThrow(message);
    expect(memory.buffer.byteLength).toBe(PAGE);
  });

  it.each<[object, RegExp]>([
    [{ param: new Floats(4), grad: new Floats(3) }, /param has 4 elements and grad 3/],
    [{ param: 1024, grad: 2048 }, /got \{ param: 1024, grad: 2048 \}, expected/],
    [{ param: 1024, grad: 2048, count: 0 }, /a count of elements above 0/],
    [{ param: 1024, grad: new Floats(3) }, new RegExp(`two ${Floats.name}s, or .*two byte offsets`)],
    [{ param: 1024 }, /got \{ param: 1024 \}, expected/],
  ])("refuses %o", (source, message) => {
    const { memory } = module();
    expect(() => make({ w: source } as never, { memory })).toThrow(ParameterError);
    expect(() => make({ w: source } as never, { memory })).toThrow(message);
  });

  it("refuses to adopt without a memory, or to allocate in none", () => {
    expect(() => make({ w: { param: 1024, grad: 2048, count: 1 } })).toThrow(
      /adopted in place: set options\.memory/,
    );
    expect(() => make({ w: [1] }, { allocate: () => 0 })).toThrow(OptionError);
    expect(() => make({ w: [1] }, { memory: {} as never })).toThrow(
      /memory: got \{ \}, expected a WebAssembly.Memory/,
    );
  });

  it("refuses what an allocator gives amiss, and writes to none of it", () => {
    const { memory, at } = module();
    new Uint8Array(memory.buffer).fill(0x5e);
    for (const bad of [undefined, null, NaN, 0, 3, 10.5, 2 ** 40, -8, -(2 ** 33), PAGE, 16n, "1024"]) {
      expect(() => make({ w: [16 / bytes] }, { memory, allocate: () => bad as number })).toThrow(MemoryError);
    }
    const adopted = { a: { param: 1024, grad: 2048, count: 64 / bytes } };
    const giving = (...ptrs: number[]) => ({ memory, momentum: 0.9, allocate: () => ptrs.shift()! });
    for (const [ptrs, message] of [
      [[4096, 4096], /gave for 64 bytes at byte 4096 overlaps.*bytes 4096 to 4160/],
      [[4096, 4160 - bytes], new RegExp(`at byte ${4160 - bytes} overlaps`)],
      [[960 + bytes, 4096], /param of "a" at byte 1024 overlaps what options.allocate gave for 64 bytes/i],
      [[4096, 2112 - bytes], /overlaps grad of "a", which takes bytes 2048 to 2112/],
      [[0, 4096], /got byte offset 0, which says that the module has no room/],
    ] as const) {
      expect(() => make(adopted, giving(...ptrs))).toThrow(MemoryError);
      expect(() => make(adopted, giving(...ptrs))).toThrow(message);
    }
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0x5e)).toBe(true);

    at(2048, 64 / bytes).fill(1);
    const ptrs = [4096, 2112, 5000, 2048 + bytes, 5000];
    const optimizer = make(adopted, { memory, allocate: () => ptrs.shift()! });
    optimizer.groups[0].momentum = 0.5;
    expect(() => {
      optimizer.groups[0].centered = true;
    }).not.toThrow();
    expect(optimizer.state.a.gradAvg!.byteOffset).toBe(5000);
    expect(at(2048, 1)[0]).toBe(1);
  });

  it("takes negative whole numbers for addresses above 2 GiB, as exports of modules give them", () => {
    const memory = new WebAssembly.Memory({ initial: 32_768 + 2 });
    let top = 2 ** 31;
    const malloc = (byteLength: number) => {
      top += byteLength;
      return (top - byteLength) | 0;
    };
    const count = 64 / bytes;
    const adopted = { param: malloc(64), grad: malloc(64), count };
    const optimizer = make(
      { w: adopted, v: [3] },
      { memory, allocate: malloc, lr: 0.5, alpha: 0.75, eps: 1 },
    );
    new Floats(memory.buffer, adopted.grad >>> 0, count).fill(2);
    optimizer.step();
    expect(new Floats(memory.buffer, adopted.param >>> 0, count)).toEqual(new Floats(count).fill(-0.5));
    expect(optimizer.params.w.byteOffset).toBe(2 ** 31);
    expect(optimizer.params.v.byteOffset).toBeGreaterThan(2 ** 31);
  });

  it("copies initial values that are in the memory, before it grows or an allocator gives their bytes away", () => {
    const places = [1024, 2048, 4096];
    for (const allocate of [undefined, () => places.shift()!]) {
      const { memory, at } = module();
      at(1024, 16).set(values(16, 1));
      const optimizer = make({ w: at(1024, 16) }, { memory, allocate });
      expect(optimizer.params.w).toEqual(values(16, 1));
    }
  });

  it("reports without growing the memory, emptying a view, or writing to it", () => {
    const { memory, at } = module();
    at(4096, 37).set(values(37, 1));
    const optimizer = make({ a: { param: 4096, grad: 8192, count: 37 }, b: [700] }, { ...options, memory });
    const { a, b } = optimizer.grads;
    a.set(values(37, 2));
    b.set(values(700, 3));
    optimizer.step();
    const before = Buffer.from(memory.buffer.slice(0));
    const report = optimizer.report();
    expect(Buffer.compare(Buffer.from(memory.buffer), before)).toBe(0);
    expect([a.length, b.length]).toEqual([37, 700]);
    const own = make({ a: values(37, 1), b: [700] }, options);
    own.grads.a.set(values(37, 2));
    own.grads.b.set(values(700, 3));
    own.step();
    expect(report).toEqual(own.report());
  });

  it("refuses what an allocator gives that isn't a place for a number", () => {
    const { memory } = module();
    expect(() => make({ w: [16 / bytes] }, { memory, allocate: () => 2 })).toThrow(
      /options.allocate gave for 16 bytes: got byte offset 2/,
    );
  });

  it("says so when the memory may not grow", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    expect(() => make({ w: [4] }, { memory })).toThrow(MemoryError);
    expect(() => make({ w: [2 ** 20 / bytes] }, { memory })).toThrow(/no memory of 3.1 MiB: /);
  });

  it("reaches beyond 2 GiB, to the last byte of 4 GiB", () => {
    const memory = new WebAssembly.Memory({ initial: 65_536 });
    const at = (byteOffset: number, count: number) => new Floats(memory.buffer, byteOffset, count);
    const end = 2 ** 32;
    const params = {
      middle: { param: 2 ** 31 - 8, grad: 3 * 2 ** 30, count: 7 },
      last: { param: end - 7 * bytes, grad: end - 16 * bytes, count: 7 },
    };
    for (const { param, grad } of Object.values(params)) {
      at(param, 7).set(values(7, 1));
      at(grad, 7).set(values(7, 2));
    }
    let top = end - PAGE;
    const allocate = (byteLength: number) => {
      top += 256;
      return top - byteLength;
    };
    make(params, { ...options, memory, allocate }).step();
    const reference = make({ w: values(7, 1) }, options);
    reference.grads.w.set(values(7, 2));
    reference.step();
    expect(bits(at(2 ** 31 - 8, 7))).toEqual(bits(reference.params.w));
    expect(bits(at(end - 7 * bytes, 7))).toEqual(bits(reference.params.w));
  });
});
