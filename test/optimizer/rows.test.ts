/** Steps by rows: they are dense steps in which the other rows have no gradient, exactly or lazily. */

import fc from "fast-check";
import { MemoryError, OptionError, type Options, RMSprop, type StepOptions } from "rmsprop-wasm";
import { load, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ALL_ENTRIES } from "../support/entries.ts";
import { seeded } from "../support/kernels.ts";
import { exactly, snapshot, VARIANTS } from "../support/runs.ts";
import { InFloat64, ROWS, shapes, WIDTH } from "../support/table.ts";

/** Writes gradients of a step: those of the rows, and zeros beside them; all of what isn't a table. */
function write(
  { grads }: Pick<RMSprop<Record<string, number[]>>, "grads">,
  rows: Iterable<number>,
  step: number,
) {
  const next = seeded(step);
  const values = Float32Array.from({ length: ROWS * WIDTH + 7 }, () => next() / 2 ** 31 - 1);
  grads.e!.fill(0);
  for (const row of rows) grads.e!.set(values.subarray(row * WIDTH, (row + 1) * WIDTH), row * WIDTH);
  grads.b!.set(values.subarray(ROWS * WIDTH));
}

/** The rows of a step: some, by the step's number. */
function rowsAt(step: number): number[] {
  const next = seeded(step + 1000);
  return Array.from({ length: 1 + (next() % 9) }, () => next() % ROWS);
}

const every = Array.from({ length: ROWS }, (_, row) => row);
const as = (optimizer: unknown) => optimizer as RMSprop<Record<string, number[]>>;
type Table = ReturnType<typeof as>;
const isCoupled = ({ weightDecay = 0, decoupledWeightDecay }: Options) =>
  weightDecay > 0 && !decoupledWeightDecay;

/** Parameters and state, without the counts of rows, which a dense run lacks. */
function valuesOf(optimizer: RMSprop<Record<string, number[]>>) {
  const { tensors } = optimizer.stateDict();
  return exactly(Object.values(tensors).map(({ rowSteps, ...others }) => others));
}

describe.each(ALL_ENTRIES)("$entry", ({ make, backend, type }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), options));
    expect(made.backend).toBe(backend);
    return made;
  };

  it.each(VARIANTS)("gives a dense run's bits where every row is named: $name", ({ options, step }) => {
    for (const sparse of ["exact", "lazy", undefined] as const) {
      if (sparse !== "lazy" && isCoupled(options)) continue;
      const [dense, byRows] = [tables(options), tables({ ...options, sparse })];
      for (let i = 0; i < 3; i++) {
        const shuffled = [...every].sort((a, b) => ((a * 7 + i) % 23) - ((b * 7 + i) % 23));
        for (const optimizer of [dense, byRows]) write(optimizer, every, i);
        dense.step(step);
        byRows.step({ ...step, rows: { e: [...shuffled, 3, 3, 0] } });
        expect(valuesOf(byRows)).toEqual(valuesOf(dense));
        expect(byRows.grads.e).toEqual(dense.grads.e);
      }
    }
  });

  it.each([{ globalClipNorm: 0.5 }, { clipNorm: 0.25 }])(
    "clips a step of all rows as a dense one: %o",
    (clip) => {
      const [dense, byRows] = [tables(clip), tables(clip)];
      for (const optimizer of [dense, byRows]) write(optimizer, every, 1);
      dense.step();
      byRows.step({ rows: { e: [...every].reverse() } });
      expect(valuesOf(byRows)).toEqual(valuesOf(dense));
      expect(byRows.gradNorm).toBe(dense.gradNorm);
    },
  );

  it("moves rows that come back by powers of alpha, rounded once", () => {
    const optimizer = tables({ alpha: 0.9, centered: true });
    const { squareAvg, gradAvg } = optimizer.state.e!;
    const last = new Map<number, number>();
    for (let step = 0; step < 200; step++) {
      const rows = new Set(rowsAt(step));
      write(optimizer, rows, step);
      const before = { squareAvg: squareAvg.slice(), gradAvg: gradAvg!.slice() };
      optimizer.catchUp({ e: [...rows] });
      for (const row of every) {
        const idle = rows.has(row) ? step - (last.get(row) ?? 0) : 0;
        for (let i = row * WIDTH; i < (row + 1) * WIDTH; i++) {
          for (const [now, then] of [
            [squareAvg, before.squareAvg],
            [gradAvg!, before.gradAvg],
          ] as const) {
            const exact = then[i]! * 0.9 ** idle;
            expect(Math.abs(now[i]! - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -23);
          }
        }
      }
      optimizer.step({ rows: { e: [...rows] } });
      for (const row of rows) last.set(row, step + 1);
    }
  });

  const moving: Options[] = [
    {},
    { centered: true, biasCorrection: true },
    { momentum: 0.9 },
    { momentum: 0.9, nesterov: true, lr: (step) => 0.01 / (1 + step / 50) },
    { momentum: 0.9, lrInMomentum: true, nesterov: true },
    { weightDecay: 0.1, decoupledWeightDecay: true, lr: (step) => 0.05 / (1 + step / 50) },
    { momentum: 0.8, weightDecay: 0.1, decoupledWeightDecay: true, lr: 0.05, ema: { decay: 0.95 } },
    { ema: { decay: 0.95 } },
    { alpha: 0.3, momentum: 0.5 },
  ];

  it.each(moving)("is where a dense run is, and as near to float64: %o", (options) => {
    const all = { eps: 1e-3, ...options };
    const [dense, byRows] = [tables(all), tables(all)];
    const exact = new InFloat64(all);
    for (let step = 0; step < 300; step++) {
      const rows = rowsAt(step);
      for (const optimizer of [dense, byRows]) write(optimizer, rows, step);
      byRows.catchUp({ e: rows });
      byRows.step({ rows: { e: rows } });
      dense.step();
      exact.step(dense.grads.e!, step);
    }
    byRows.catchUp();
    for (const plane of ["param", "squareAvg", "momentumBuffer", "gradAvg", "ema"] as const) {
      const [ours, theirs] = [byRows, dense].map((o) => o.stateDict().tensors.e![plane]);
      if (!ours || !theirs) continue;
      const distance = (values: Float32Array) => rms(values.map((value, i) => value - exact[plane][i]!));
      expect(distance(ours)).toBeLessThanOrEqual(1.1 * distance(theirs) + 1e-12);
      const scale = rms(Float32Array.from(exact[plane]));
      expect(distance(ours) / scale).toBeLessThan(3e-6);
    }
  });

  it("leaves rows that aren't named where they are, lazily", () => {
    for (const options of [
      { momentum: 0.9 },
      { weightDecay: 0.1 },
      { ema: { decay: 0.9 } },
      { centered: true },
    ]) {
      const optimizer = tables({ ...options, sparse: "lazy" });
      for (let step = 0; step < 70; step++) {
        const rows = rowsAt(step);
        write(optimizer, every, step); // gradients that nobody may look at
        const before = optimizer.stateDict().tensors.e!;
        optimizer.catchUp();
        optimizer.step({ rows: { e: rows }, zeroGrad: true });
        const after = optimizer.stateDict().tensors.e!;
        for (const plane of ["param", "squareAvg", "momentumBuffer", "gradAvg", "ema"] as const) {
          for (const row of every) {
            const [was, is] = [before, after].map((state) =>
              state[plane]?.subarray(row * WIDTH, (row + 1) * WIDTH),
            );
            if (!rows.includes(row)) expect(is).toEqual(was);
          }
        }
        for (const row of every) {
          const isClear = optimizer.grads.e!.subarray(row * WIDTH, (row + 1) * WIDTH).every((g) => g === 0);
          expect(isClear).toBe(rows.includes(row));
        }
      }
    }
  });

  it("measures norms over the rows that are named, and refuses what isn't finite in them alone", () => {
    const optimizer = tables({ nonFinite: "skip" });
    optimizer.grads.e!.fill(NaN);
    optimizer.grads.e!.fill(3, 2 * WIDTH, 4 * WIDTH);
    expect(optimizer.step({ rows: { e: [3, 2, 2] } })).toBe(true);
    expect(optimizer.gradNorm).toBe(Math.sqrt(9 * 2 * WIDTH));
    const before = snapshot(optimizer);
    expect(optimizer.step({ rows: { e: [4] } })).toBe(false);
    expect({ ...(snapshot(optimizer) as object), skippedSteps: 0 }).toEqual(before);
    optimizer.report();
  });

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

  it("goes on where it was saved, to the bit", () => {
    for (const options of moving) {
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

  it("takes dense steps between, as ever", () => {
    const [dense, mixed] = [tables({ centered: true }), tables({ centered: true })];
    for (let step = 0; step < 12; step++) {
      const rows = step % 3 === 1 ? rowsAt(step) : every;
      for (const optimizer of [dense, mixed]) write(optimizer, rows, step);
      dense.step();
      mixed.step(step % 3 === 1 ? { rows: { e: rows } } : {});
    }
    const [ours, theirs] = [mixed, dense].map(({ params }) => params.e!);
    expect(rms(ours!.map((p, i) => p - theirs![i]!))).toBeLessThan(1e-6);
    expect(mixed.stateDict().tensors.e!.rowSteps).toEqual(new Uint32Array(ROWS).fill(12));
  });

  it("counts under the hyperparameters of each time", () => {
    const [dense, byRows] = [tables({ alpha: 0.9 }), tables({ alpha: 0.9 })];
    for (let step = 0; step < 30; step++) {
      if (step === 10) for (const { groups } of [dense, byRows]) groups[0].alpha = 0.5;
      if (step === 20) for (const { groups } of [dense, byRows]) groups[0].momentum = 0.9;
      for (const optimizer of [dense, byRows]) write(optimizer, rowsAt(step), step);
      byRows.catchUp({ e: rowsAt(step) });
      byRows.step({ rows: { e: rowsAt(step) } });
      dense.step();
    }
    byRows.catchUp();
    for (const plane of ["param", "squareAvg"] as const) {
      const [ours, theirs] = [byRows, dense].map((o) => o.stateDict().tensors.e![plane]);
      expect(rms(ours!.map((value, i) => value - theirs![i]!)) / rms(theirs!)).toBeLessThan(1e-6);
    }
  });

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

  it("empties no view by the first step by rows", () => {
    const optimizer = as(make({ e: [50_000, 3], b: [7] }));
    const views = [optimizer.params.e!, optimizer.grads.e!, optimizer.state.e!.squareAvg];
    views[1]!.fill(1, 0, 3);
    optimizer.step({ rows: { e: [0] } });
    optimizer.step({ rows: { e: [0] } });
    expect(views.map(({ length }) => length)).toEqual([150_000, 150_000, 150_000]);
    expect(views[0]![0]).toBeLessThan(0);
  });

  it("brings rows up to date before the averages are put in", () => {
    const options = { ema: { decay: 0.9 } };
    const [dense, byRows] = [tables(options), tables(options)];
    for (let step = 0; step < 20; step++) {
      for (const optimizer of [dense, byRows]) write(optimizer, rowsAt(step), step);
      byRows.step({ rows: { e: rowsAt(step) } });
      dense.step();
    }
    for (const optimizer of [dense, byRows]) optimizer.swapEma();
    expect(rms(byRows.params.e!.map((p, i) => p - dense.params.e![i]!))).toBeLessThan(1e-6);
    expect(() => byRows.catchUp()).toThrow(/swapEma/);
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
      expect(() => adopt(shape)).toThrow(/the shape .* whose product is 115/);
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

  it("reports on the rows of the last step, whatever becomes of the caller's list", () => {
    const optimizer = tables({ lr: 0.5, alpha: 0.75, eps: 1 });
    optimizer.grads.e!.fill(NaN);
    optimizer.grads.e!.fill(2, 2 * WIDTH, 4 * WIDTH);
    const rows = Uint32Array.of(3, 2, 3);
    optimizer.step({ rows: { e: rows } });
    rows.fill(9);
    expect(optimizer.report().e).toMatchObject({
      gradRms: 2,
      nonFinite: 0,
      zeroGradShare: 0,
      minLr: 0.25,
      maxLr: 0.25,
    });
    optimizer.grads.e!.fill(0);
    optimizer.step();
    expect(optimizer.report().e).toMatchObject({ gradRms: 0, zeroGradShare: 1 });
  });

  const refusals: [what: string, rows: unknown, message: RegExp, options?: Options][] = [
    ["an index that is too large", { e: [0, ROWS] }, /got 23 at 1 of "e".*from 0 to 22/],
    ["a negative index", { e: [-1] }, /got -1 at 0/],
    ["an index that isn't whole", { e: [1.5] }, /got 1.5/],
    ["an index that isn't a number", { e: ["1"] }, /got "1"/],
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
    const before = snapshot(optimizer);
    expect(() => optimizer.step({ rows: rows as never })).toThrow(message);
    expect(snapshot(optimizer)).toEqual(before);
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

  it("refuses a tensor without a shape", () => {
    const optimizer = make({ e: new Float32Array(6) });
    expect(() => optimizer.step({ rows: { e: [1] } })).toThrow(/"e" has no shape/);
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

it("is shared by optimizers that are attached, if the tables are sparse from the beginning", () => {
  const memory = () => new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });
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

function rms(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values, (value) => value * value).reduce((a, b) => a + b, 0) / values.length);
}
