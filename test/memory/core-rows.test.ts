/** Rows by byte offsets: core's `updateRows` gives a row the bits that `update` gives it, and leaves all others alone. */
import { MemoryError, OptionError, RMSprop } from "rmsprop-wasm";
import { type CoreOptions, instantiate } from "rmsprop-wasm/core";
import { expect, it } from "vitest";
import { seeded } from "../support/kernels.ts";

const [ROWS, WIDTH, STRIDE, LIST, STEPS] = [11, 5, 1024, 512, 8192];
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
  const steps = new Uint32Array(memory.buffer, STEPS, ROWS);
  return { core: instantiate(memory), memory, ptrs, bytes, list, steps };
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
  for (const call of [core.updateRows, core.catchUpRows]) {
    const misspelt = { ...ptrs, count, width: WIDTH, rowStep: STEPS };
    expect(() => call(misspelt, list(1))).toThrow(/"rowStep": did you mean "rowSteps"\?/);
  }
  update(list());
  expect(bytes()).toBe(before);
});

it.each([
  {},
  { centered: true, biasCorrection: true, zeroGrad: true },
  { alpha: 0.5, epsInsideSqrt: true, clipValue: 0.25 },
] as CoreOptions[])("with the rows' steps, gives the bits of an optimizer's exact steps: %o", (options) => {
  const { core, memory, ptrs, bytes, list, steps } = table();
  const whole = { ...ptrs, count, width: WIDTH, rowSteps: STEPS };
  const { zeroGrad, ...hyperparameters } = options;
  const optimizer = new RMSprop({ e: [ROWS, WIDTH] }, { ...hyperparameters, sparse: "exact" });
  const planes = ["param", "grad", "squareAvg", ...(options.centered ? ["gradAvg"] : [])] as const;
  const here = (name: string) => new Float32Array(memory.buffer, ptrs[name as "param"], count);
  for (const name of ["squareAvg", "gradAvg"]) here(name).fill(0);
  optimizer.params.e.set(here("param"));
  for (let step = 0; step < 80; step++) {
    const rows = [0, 3, 4, 10, 7].filter((row) => (step + row) % 3 === 0 || row === step % 20);
    const values = here("grad").map((_, i) => Math.sin(step * 100 + i));
    for (const grad of [here("grad"), optimizer.grads.e]) grad.set(values);
    rows.sort((a, b) => a - b);
    core.updateRows(whole, list(...rows), { ...options, step });
    optimizer.step({ rows: { e: rows }, zeroGrad: zeroGrad ?? false });
  }
  core.catchUpRows(whole, list(...Array(ROWS).keys()), { ...options, step: 80 });
  optimizer.catchUp();
  const state = { ...optimizer.state.e, param: optimizer.params.e, grad: optimizer.grads.e };
  for (const name of planes) expect(here(name)).toEqual(state[name as "param"]);
  expect([...steps]).toEqual(Array(ROWS).fill(80));
  const before = bytes();
  core.catchUpRows(whole, list(1, 2), { ...options, step: 80 });
  expect(bytes()).toBe(before);
});

it("refuses counts of rows that don't fit, and changes nothing", () => {
  const { core, ptrs, bytes, list, steps } = table();
  steps[3] = 5;
  const before = bytes();
  const whole = { ...ptrs, count, width: WIDTH };
  const update = (rowSteps: number, options: CoreOptions = { step: 5 }) =>
    core.updateRows({ ...whole, rowSteps }, list(3), options);
  expect(() => update(STEPS, { step: 4 })).toThrow(/row 3 is up to date by 5 updates, and step is 4/);
  expect(() => update(STEPS, { step: 2 ** 32 })).toThrow(OptionError);
  expect(() => update(STEPS, { step: 5, momentum: 0.9 })).toThrow(/rowSteps: momentum.*catchUp/);
  for (const decoupledWeightDecay of [true, false]) {
    expect(() => update(STEPS, { step: 5, weightDecay: 0.1, decoupledWeightDecay })).toThrow(/rowSteps/);
  }
  expect(() => update(STEPS + 2)).toThrow(MemoryError);
  expect(() => update(65_536)).toThrow(MemoryError);
  expect(() => update(ptrs.param + count * 4 - 4)).toThrow(/rowSteps at byte \d+ overlaps param/);
  expect(() => update(LIST)).toThrow(/rowSteps at byte 512 overlaps rows/);
  expect(() => core.catchUpRows(whole, list(3))).toThrow(/rowSteps: got byte offset undefined/);
  expect(bytes()).toBe(before);
});
