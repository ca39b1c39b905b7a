/**
 * Calls of the raw layer, of optimizers with threads and of attached ones, made to fail in each way there is: the package's own
 * error, and the whole memory, its length and the views on it stay as they were.
 */
import { type Options, type Params, RMSprop, RMSpropError } from "rmsprop-wasm";
import { type CoreOptions, instantiate, type TablePtrs } from "rmsprop-wasm/core";
import { RMSprop as RMSprop64 } from "rmsprop-wasm/f64";
import { describe, expect, it } from "vitest";
import { ALWAYS, anyOf, type Call, expectToFail, type Optimizer } from "../optimizer/failing-calls.ts";
import { seeded } from "../support/kernels.ts";

const PAGE = 65_536;
const COUNT = 12;
const GOOD: TablePtrs = {
  param: 1024,
  grad: 2048,
  squareAvg: 3072,
  momentumBuffer: 4096,
  gradAvg: 5120,
  count: COUNT,
  width: 3,
};
const ROWS = { ptr: 8192, count: 2 };
const ALL: CoreOptions = { momentum: 0.9, centered: true };

const PLANES = ["param", "grad", "squareAvg", "momentumBuffer", "gradAvg"] as const;

type Core = ReturnType<typeof instantiate>;
const withTable = (changes: object, options: CoreOptions = ALL) => {
  const table = { ...GOOD, ...changes };
  return [
    (core: Core) => core.update(table, options),
    (core: Core) => core.updateRows(table, ROWS, options),
  ] as const;
};
const withRows = (rows: unknown, list?: readonly number[]) => {
  const call = (core: Core) => core.updateRows(GOOD, anyOf(rows), ALL);
  return [Object.assign(call, { list })] as const;
};
const ADDRESSES = [undefined, null, NaN, 1.5, 1026, -4, PAGE, PAGE - 4, 2 ** 32, "1024", {}, 1n];
const COUNTS = [undefined, null, -1, 0.5, NaN, 2 ** 30, 2 ** 53, "12", Infinity];

const CORE_CALLS: Record<
  string,
  readonly (((core: Core) => unknown) & { list?: readonly number[] | undefined })[]
> = {
  ...Object.fromEntries(
    PLANES.flatMap((plane) =>
      ADDRESSES.map((given) => [
        `${plane} at ${String(given)} of ${typeof given}`,
        withTable({ [plane]: given }),
      ]),
    ),
  ),
  ...Object.fromEntries(
    COUNTS.map((count) => [`count ${String(count)} of ${typeof count}`, withTable({ count })]),
  ),
  "planes that overlap": withTable({ grad: GOOD.param + 4 }),
  "planes at one place": withTable({ gradAvg: GOOD.momentumBuffer }),
  ...Object.fromEntries(
    [undefined, null, 3, "tensor"].map((given) => [
      `no tensor but ${given}`,
      [
        (core: Core) => core.update(anyOf(given)),
        (core: Core) => core.updateRows(anyOf(given), ROWS),
        (core: Core) => core.sumOfSquares(anyOf(given)),
      ],
    ]),
  ),
  ...Object.fromEntries(
    [undefined, null, 0, 2.5, -3, 5, "3"].map((width) => [
      `width ${width} of ${typeof width}`,
      [(core: Core) => core.updateRows(anyOf({ ...GOOD, width }), ROWS, ALL)],
    ]),
  ),
  ...Object.fromEntries(
    [undefined, null, 3, "rows", [0, 1]].map((rows) => [
      `no rows but ${rows} of ${typeof rows}`,
      withRows(rows),
    ]),
  ),
  ...Object.fromEntries(
    ADDRESSES.map((ptr) => [`rows at ${String(ptr)} of ${typeof ptr}`, withRows({ ptr, count: 2 })]),
  ),
  ...Object.fromEntries(
    COUNTS.map((count) => [
      `rows of count ${String(count)} of ${typeof count}`,
      withRows({ ptr: 8192, count }),
    ]),
  ),
  "a row that isn't there": withRows(ROWS, [0, 4]),
  "rows in descending order": withRows(ROWS, [2, 1]),
  "a row twice": withRows(ROWS, [1, 1]),
  "rows that stand in a plane": PLANES.map(
    (plane) => (core: Core) => core.updateRows(GOOD, { ptr: GOOD[plane]! + 40, count: 1 }, ALL),
  ),
  ...Object.fromEntries(
    [
      null,
      3,
      "lr",
      [],
      new Map([["lr", 1]]),
      Object.create({ lr: 1 }),
      { learningRate: 1 },
      { lr: -1 },
      { lr: NaN },
      { lr: "0.1" },
      { lr: () => NaN },
      { eps: 0 },
      { alpha: 2 },
      { momentum: -1 },
      { nesterov: true },
      { step: -1 },
      { step: 0.5 },
      { step: 2 ** 53 },
      { gradScale: NaN },
      { gradScale: 1e39 },
      { zeroGrad: 1 },
      { clipValue: 0 },
      { rowwiseState: true },
      { scheduleFree: true },
    ].map((options) => [
      `options ${Object.prototype.toString.call(options)} ${String(JSON.stringify(options))}`,
      [
        (core: Core) => core.update(GOOD, anyOf(options)),
        (core: Core) => core.updateRows(GOOD, ROWS, anyOf(options)),
      ],
    ]),
  ),
  ...Object.fromEntries(
    ADDRESSES.map((grad) => [
      `a sum at ${String(grad)} of ${typeof grad}`,
      [(core: Core) => core.sumOfSquares(anyOf({ grad, count: COUNT }))],
    ]),
  ),
  ...Object.fromEntries(
    COUNTS.map((count) => [
      `a sum of ${String(count)} of ${typeof count}`,
      [(core: Core) => core.sumOfSquares(anyOf({ grad: 2048, count }))],
    ]),
  ),
};

describe.each([false, true])("in a memory that is shared: %s, the raw layer", (shared) => {
  it.each(Object.entries(CORE_CALLS))("changes nothing by %s", (_, calls) => {
    for (const call of calls) {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared });
      const twin = new WebAssembly.Memory({ initial: 1, maximum: 2, shared });
      const next = seeded(7);
      const floats = Float32Array.from({ length: PAGE / 4 }, () => next() / 2 ** 31 - 1);
      for (const { buffer } of [memory, twin]) {
        new Float32Array(buffer).set(floats);
        new Uint32Array(buffer, ROWS.ptr, 2).set(call.list ?? [1, 3]);
        // State is never below 0.
        new Float32Array(buffer, GOOD.squareAvg, COUNT).fill(4);
        // A list that would do, if it didn't stand in a plane.
        for (const plane of PLANES) new Uint32Array(buffer, GOOD[plane]! + 40, 1).set([1]);
      }
      const [core, other] = [instantiate(memory), instantiate(twin)];
      const { buffer } = memory;
      const view = new Float32Array(buffer);
      const before = Buffer.from(buffer.slice(0));
      let error: unknown;
      try {
        call(core);
      } catch (caught) {
        error = caught;
      }
      expect(error, String(call)).toBeInstanceOf(RMSpropError);
      expect((error as Error).message.length).toBeLessThan(1000);
      expect(memory.buffer).toBe(buffer);
      expect(view.length).toBe(PAGE / 4);
      expect(before.equals(Buffer.from(buffer.slice(0)))).toBe(true);
      // The next update goes on as if the call had never been made.
      for (const one of [core, other]) one.update(GOOD, ALL);
      expect(Buffer.from(buffer.slice(0)).equals(Buffer.from(twin.buffer.slice(0)))).toBe(true);
    }
  });
});

it.each([undefined, null, 3, {}, new ArrayBuffer(8), [], { grow() {} }])(
  "the raw layer is bound to a memory, not to %o",
  (given) => {
    expect(() => instantiate(anyOf(given))).toThrow(RMSpropError);
    expect(() => instantiate(anyOf(given))).toThrow(/WebAssembly\.Memory/);
  },
);

const params = (): Params => [
  { params: { w: { shape: [2, 3], values: [1, -2, 3, 0.5, 0.25, -1] }, b: [5] }, alpha: 0.9 },
  { params: { e: [7, 3] } },
];
const write = ({ grads }: Optimizer, step: number) => {
  for (const grad of Object.values(grads)) grad.set(grad.map((_, i) => ((i * 7 + step * 3) % 5) - 2.5));
};

/** The optimizers that share their memory: the calls go to the last one, the others are on the same tensors. */
const SHARED: Record<string, (type: typeof RMSprop) => Optimizer[]> = {
  "with threads": (type) => [new type(params(), { threads: 2 }) as unknown as Optimizer],
  "with threads in a given memory": (type) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 99, shared: true });
    return [new type(params(), { threads: 2, memory }) as unknown as Optimizer];
  },
  "that is attached": (type) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 99, shared: true });
    const owner = new type(params(), { memory, sparse: "exact" });
    return [owner, type.attach(structuredClone(owner.handle))] as unknown as Optimizer[];
  },
};

const REFUSED: Record<string, Call> = {
  ...Object.fromEntries(
    Object.entries(ALWAYS).filter(([name]) => name !== "handle" && !/^attach|^load|^save/.test(name)),
  ),
  "attach() with a rate below 0": (o, type) => type.attach(o.handle, { lr: -1 }),
  "attach() with a number for options": (o, type) => type.attach(o.handle, anyOf(3)),
  "attach() with null for options": (o, type) => type.attach(o.handle, anyOf(null)),
  "attach() with an option that it doesn't take": (o, type) =>
    type.attach(o.handle, anyOf({ momentum: 0.5 })),
  "attach() to a handle of another version": (o, type) => type.attach({ ...o.handle, version: 1 }),
  "attach() to a handle of another type of elements": (o, type) =>
    type.attach({ ...o.handle, elements: anyOf("float16") }),
};

describe.each([
  ["rmsprop-wasm", RMSprop],
  ["rmsprop-wasm/f64", RMSprop64 as unknown as typeof RMSprop],
] as const)("%s", (_, type) => {
  describe.each(Object.entries(SHARED))("an optimizer %s", (_, make) => {
    const isFit = ([name]: [string, Call]) => type === RMSprop || !name.includes("float32");
    it.each(Object.entries(REFUSED).filter(isFit))("changes nothing by %s", async (title, call) => {
      const [crew, twins] = [make(type), make(type)];
      const [optimizer, twin] = [crew.at(-1)!, twins.at(-1)!];
      try {
        for (const one of [optimizer, twin]) {
          write(one, 0);
          one.step();
          write(one, 1);
        }
        const { buffer } = optimizer.memory;
        const look = () => ({
          bytes: Buffer.from(buffer.slice(0)),
          text: String(optimizer),
          steps: optimizer.steps,
        });
        const before = look();
        await expectToFail(title, () => call(optimizer, type));
        const after = look();
        expect(optimizer.memory.buffer).toBe(buffer);
        expect(after.bytes.equals(before.bytes)).toBe(true);
        expect({ ...after, bytes: 0 }).toEqual({ ...before, bytes: 0 });
        for (const one of [optimizer, twin]) {
          write(one, 2);
          one.step();
        }
        expect(optimizer.stateDict()).toEqual(twin.stateDict());
      } finally {
        for (const one of [...crew, ...twins]) one.dispose();
      }
    });
  });

  it.each([0, -1, 1.5, NaN, Infinity, "2", null, true, 2 ** 20])(
    "takes no number of threads as %o",
    (threads) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 99, shared: true });
      const { buffer } = memory;
      expect(() => new type(params(), { memory, threads } as Options)).toThrow(RMSpropError);
      expect(memory.buffer).toBe(buffer);
      expect(Buffer.from(buffer.slice(0)).every((byte) => byte === 0)).toBe(true);
    },
  );

  it("takes no threads in a memory that isn't shared", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 99 });
    const { buffer } = memory;
    expect(() => new type(params(), { memory, threads: 2 })).toThrow(/isn't shared/);
    expect(memory.buffer).toBe(buffer);
  });
});

it("the raw layer takes planes that touch, in either order", () => {
  const left = [1024, 1072, 1120].map((ptr) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    new Float32Array(memory.buffer, 1024, 36).fill(1);
    const others = [1024, 1072, 1120].filter((other) => other !== ptr);
    instantiate(memory).update({ param: ptr, grad: others[1]!, squareAvg: others[0]!, count: COUNT });
    return [...new Float32Array(memory.buffer, ptr, COUNT)];
  });
  expect(left[1]).toEqual(left[0]);
  expect(left[2]).toEqual(left[0]);
});
