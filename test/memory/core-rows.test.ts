/** Rows by byte offsets: core's `updateRows` gives a row the bits that `update` gives it, and leaves all others alone. */
import { MemoryError, OptionError } from "rmsprop-wasm";
import { type CoreOptions, instantiate } from "rmsprop-wasm/core";
import { expect, it } from "vitest";
import { seeded } from "../support/kernels.ts";

const [ROWS, WIDTH, STRIDE, LIST] = [11, 5, 1024, 512];
const count = ROWS * WIDTH;

/** Planes of ordinary values in a memory of their own. */
function table() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const next = seeded(1);
  const [param, grad, squareAvg, momentumBuffer, gradAvg] = [1, 2, 3, 4, 5].map((i) => {
    const ptr = i * STRIDE + i * 4;
    new Float32Array(memory.buffer, ptr, count).forEach((_, k, values) => {
      values[k] = (next() / 2 ** 32) * 0.5 + 0.1;
    });
    return ptr;
  }) as [number, number, number, number, number];
  const ptrs = { param, grad, squareAvg, momentumBuffer, gradAvg };
  const bytes = () => Buffer.from(memory.buffer.slice(1024)).toString("hex");
  const list = (...rows: number[]) => {
    new Uint32Array(memory.buffer, LIST, rows.length).set(rows);
    return { ptr: LIST, count: rows.length };
  };
  return { core: instantiate(memory), ptrs, bytes, list };
}

it.each([
  {},
  { momentum: 0.9, nesterov: true, zeroGrad: true },
  { centered: true, biasCorrection: true, step: 63, gradScale: 0.5 },
  { weightDecay: 0.1, clipValue: 0.25 },
] as CoreOptions[])("updates rows as update does: %o", (options) => {
  const [byRows, inTurn] = [table(), table()];
  byRows.core.updateRows({ ...byRows.ptrs, count, width: WIDTH }, byRows.list(0, 3, 4, 10), options);
  for (const row of [0, 3, 4, 10]) {
    const places = Object.entries(inTurn.ptrs).map(([name, ptr]) => [name, ptr + row * WIDTH * 4]);
    inTurn.core.update({ ...Object.fromEntries(places), count: WIDTH }, options);
  }
  expect(byRows.bytes()).toBe(inTurn.bytes());
});

it("refuses lists and widths that don't fit, and changes nothing", () => {
  const { core, ptrs, bytes, list } = table();
  const before = bytes();
  const update = (rows: { ptr: number; count: number }, width = WIDTH) =>
    core.updateRows({ ...ptrs, count, width }, rows);
  expect(() => update(list(3, 3))).toThrow(/got 3 at 1, expected ascending numbers below 11/);
  expect(() => update(list(4, 3))).toThrow(OptionError);
  expect(() => update(list(ROWS))).toThrow(/got 11 at 0/);
  expect(() => update(list(1), 4)).toThrow(/width: got 4.*55/);
  expect(() => update(list(1), 0)).toThrow(OptionError);
  expect(() => update({ ptr: 2, count: 1 })).toThrow(MemoryError);
  expect(() => update({ ptr: 65_536, count: 1 })).toThrow(MemoryError);
  expect(() => update({ ptr: LIST, count: -1 })).toThrow(/rows.count: got -1/);
  update(list());
  expect(bytes()).toBe(before);
});
