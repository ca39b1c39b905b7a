/** `rowwiseState`: one mean square for each row, in dense steps and in those by rows. */

import fc from "fast-check";
import { OptionError, type Options, RMSprop } from "rmsprop-wasm";
import { load, restore, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { seeded } from "../support/kernels.ts";
import { snapshot } from "../support/runs.ts";
import { as, every, ROWS, rowsAt, shapes, type Table, table, WIDTH } from "../support/table.ts";

function write({ grads }: Pick<Table, "grads">, step: number): void {
  const next = seeded(step);
  for (const grad of Object.values(grads))
    for (let i = 0; i < grad.length; i++) grad[i] = next() / 2 ** 31 - 1;
}

/** The parameters of the table and its mean squares after steps in float64. */
function exactly(steps: number, options: Options): { param: Float64Array; squareAvg: Float64Array } {
  const { lr: rate = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, weightDecay = 0, ...o } = options;
  const lr = rate as number;
  const param = Float64Array.from(table().values);
  const squareAvg = new Float64Array(ROWS).fill(o.initialSquareAvg ?? 0);
  const m = new Float64Array(param.length);
  const grads = { e: new Float32Array(param.length), b: new Float32Array(7) };
  for (let step = 0; step < steps; step++) {
    write({ grads }, step);
    for (let row = 0; row < ROWS; row++) {
      const grad = grads.e.subarray(row * WIDTH, (row + 1) * WIDTH);
      const mean = grad.reduce((sum, g) => sum + g * g, 0) / WIDTH;
      squareAvg[row] = alpha * squareAvg[row]! + (1 - alpha) * mean;
      const q = squareAvg[row]! / (o.biasCorrection ? 1 - alpha ** (step + 1) : 1);
      const d = o.epsInsideSqrt ? Math.sqrt(q + eps) : Math.sqrt(q) + eps;
      const inside = momentum > 0 && !o.lrInMomentum ? 1 : lr;
      for (const [k, g] of grad.entries()) {
        const i = row * WIDTH + k;
        let u = (inside * (o.maximize ? -g : g)) / d;
        if (momentum > 0) {
          m[i] = momentum * m[i]! + u;
          u = o.nesterov ? u + momentum * m[i]! : m[i]!;
        }
        param[i] = param[i]! * (1 - lr * weightDecay) - (lr / inside) * u;
      }
    }
  }
  return { param, squareAvg };
}

const VARIANTS: Options[] = [
  {},
  { momentum: 0.9 },
  { momentum: 0.9, nesterov: true, lrInMomentum: true },
  { biasCorrection: true, maximize: true },
  { weightDecay: 0.1, decoupledWeightDecay: true, epsInsideSqrt: true },
  { alpha: 0.3, momentum: 0.5, initialSquareAvg: 0.5, ema: { decay: 0.9 } },
];

describe.each(ENTRIES)("$entry", ({ make, backend }) => {
  const tables = (options: Options = {}) => {
    const made = as(make(shapes(), { rowwiseState: true, ...options }));
    expect(made.backend).toBe(backend);
    return made;
  };

  it("makes a row's mean square 0 at each 64th step, once it is below the smallest normal number", () => {
    const optimizer = as(make({ e: [3, 2] }, { rowwiseState: true, alpha: 0.5 }));
    optimizer.grads.e!.set([1, 1, 2e-20, 2e-20, 0, 0]);
    const averagesAt = (steps: number) => {
      while (optimizer.steps < steps) optimizer.step({ rows: { e: [0, 1] } });
      return [...optimizer.state.e!.squareAvg!].map((v) => (v < 2 ** -126 ? v > 0 && "denormal" : "normal"));
    };
    expect(averagesAt(63)).toEqual(["normal", "denormal", false]);
    expect(averagesAt(64)).toEqual(["normal", false, false]);
    expect(averagesAt(65)).toEqual(["normal", "denormal", false]);
  });

  it.each(VARIANTS)("computes the mean square of each row: %o", (options) => {
    const optimizer = tables(options);
    for (let step = 0; step < 70; step++) {
      write(optimizer, step);
      optimizer.step();
    }
    const exact = exactly(70, options);
    const { squareAvg } = optimizer.state.e!;
    expect(squareAvg).toHaveLength(ROWS);
    expect(optimizer.state.b!.squareAvg).toHaveLength(7);
    for (const [row, v] of squareAvg.entries()) expect(v / exact.squareAvg[row]!).toBeCloseTo(1, 5);
    for (const [i, p] of optimizer.params.e!.entries()) expect(p).toBeCloseTo(exact.param[i]!, 5);
  });

  it("is a step of every element where rows have one", () => {
    // Below an alpha of a half the two multiply in different orders.
    for (const options of VARIANTS.filter(({ alpha = 1 }) => alpha > 0.5)) {
      const tall = { e: { shape: [37, 1], values: Float32Array.from({ length: 37 }, (_, i) => i - 18) } };
      const [byRows, plain] = [true, false].map((rowwiseState) =>
        as(make(tall, { ...options, rowwiseState })),
      );
      for (let step = 0; step < 66; step++) {
        for (const optimizer of [byRows!, plain!]) {
          write(optimizer, step);
          optimizer.step();
        }
      }
      const [ours, theirs] = [byRows!, plain!].map((optimizer) => optimizer.stateDict().tensors.e!);
      const { rowSteps, ...others } = ours!;
      expect(rowSteps).toEqual(new Uint32Array(37).fill(66));
      expect(others).toEqual(theirs);
    }
  });

  it("takes steps by rows as dense ones that lack the other rows' gradients", () => {
    for (const options of VARIANTS) {
      const [dense, byRows] = [tables(options), tables(options)];
      for (let step = 0; step < 100; step++) {
        const rows = new Set(step % 10 === 9 ? every : rowsAt(step));
        byRows.catchUp({ e: [...rows] });
        for (const optimizer of [dense, byRows]) write(optimizer, step);
        for (const row of every) if (!rows.has(row)) dense.grads.e!.fill(0, row * WIDTH, (row + 1) * WIDTH);
        dense.step();
        byRows.step({ rows: { e: [...rows] } });
      }
      byRows.catchUp();
      for (const [row, v] of byRows.state.e!.squareAvg.entries()) {
        expect(v / dense.state.e!.squareAvg[row]!).toBeCloseTo(1, 5);
      }
      for (const [i, p] of byRows.params.e!.entries()) expect(p).toBeCloseTo(dense.params.e![i]!, 5);
    }
  });

  it("gives the same bits for lists in any order, in shares, and for a dense step", () => {
    const anyRows = fc.array(fc.nat(ROWS - 1), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(anyRows, { minLength: 1, maxLength: 5 }), (steps) => {
        const crew = [0, 1, 2].map(() => tables({ sparse: "lazy", globalClipNorm: 2 }));
        steps.forEach((rows, step) => {
          for (const optimizer of crew) write(optimizer, step);
          crew[0]!.step({ rows: { e: rows } });
          crew[1]!.step({ rows: { e: [...rows, ...rows].reverse() } });
          const { gradNorm } = crew[0]!;
          for (const index of [1, 0]) {
            crew[2]!.step({ rows: { e: rows }, shard: { index, count: 2 }, gradNorm });
          }
        });
        const [first, ...others] = crew.map((optimizer) => optimizer.stateDict().tensors);
        for (const other of others) expect(other).toEqual(first);
      }),
      { numRuns: 30 },
    );
    const [dense, byRows] = [tables(), tables()];
    for (const optimizer of [dense, byRows]) write(optimizer, 1);
    dense.step({ zeroGrad: true });
    byRows.step({ rows: { e: every }, zeroGrad: true });
    expect(snapshot(byRows)).toEqual(snapshot(dense));
  });

  it("is saved and goes on", () => {
    const whole = tables({ momentum: 0.9 });
    let stopping = tables({ momentum: 0.9 });
    for (let step = 0; step < 12; step++) {
      for (const optimizer of [whole, stopping]) {
        write(optimizer, step);
        optimizer.catchUp({ e: rowsAt(step) });
        optimizer.step({ rows: { e: rowsAt(step) } });
      }
      if (step === 3) stopping = as(load(save(stopping)));
      if (step === 6) {
        const next = tables({ momentum: 0.9 });
        restore(next, save(stopping));
        stopping = next;
      }
      if (step === 9) {
        const next = tables({ momentum: 0.9 });
        next.loadStateDict(structuredClone(stopping.stateDict()) as never);
        stopping = next;
      }
    }
    expect(snapshot(stopping)).toEqual(snapshot(whole));
  });

  it.each([[[4, 1]], [[1, 1]], [[1]], [[]], [[3, 2, 1]]])(
    "is saved and read in files by tensors of shape %j",
    (shape) => {
      const optimizer = as(make({ e: shape } as never, { rowwiseState: true }));
      optimizer.grads.e!.fill(2);
      optimizer.step();
      const file = save(optimizer);
      const loaded = as(load(file));
      expect(loaded.stateDict().tensors).toEqual(optimizer.stateDict().tensors);
      expect(Buffer.compare(save(loaded), file)).toBe(0);
    },
  );

  it("refuses a state with averages of another kind", () => {
    const [rowwise, plain] = [tables(), as(make(shapes()))];
    for (const [into, from] of [
      [rowwise, plain],
      [plain, rowwise],
    ] as const) {
      const before = snapshot(into);
      expect(() => into.loadStateDict(from.stateDict() as never)).toThrow(/groups\[0\].rowwiseState/);
      expect(() => restore(into, save(from))).toThrow(/rowwiseState|"state.e.square_avg": shape/);
      expect(snapshot(into)).toEqual(before);
    }
    expect(() => load(save(plain), { rowwiseState: true })).toThrow(/shape is \[23, 5\], expected \[23\]/);
    expect(() => load(save(rowwise), { rowwiseState: false })).toThrow(/shape is \[23\], expected \[23, 5\]/);
  });

  it("reports on rows with their one rate", () => {
    const optimizer = tables({ lr: 0.5, alpha: 0.75, eps: 1 });
    optimizer.grads.e!.fill(2);
    optimizer.grads.e!.fill(4, 0, WIDTH);
    optimizer.step();
    const { minLr, medianLr, maxLr } = optimizer.report().e!;
    expect(minLr).toBeCloseTo(0.5 / 3, 6);
    expect([medianLr, maxLr]).toEqual([0.25, 0.25]);
  });

  const refusals: [what: string, options: Options, message: RegExp][] = [
    ["centered", { centered: true }, /centered.*rowwiseState/],
    ["clipValue", { clipValue: 1 }, /clipValue.*clipNorm/],
    ["coupled weight decay", { weightDecay: 0.1 }, /weightDecay.*decoupledWeightDecay/],
    ["scheduleFree", { scheduleFree: true }, /scheduleFree.*rowwiseState/],
  ];

  it.each(refusals)("refuses %s", (_, options, message) => {
    expect(() => tables(options)).toThrow(message);
    if (options.scheduleFree) return;
    const optimizer = tables();
    const before = snapshot(optimizer);
    expect(() => Object.assign(optimizer.groups[0], options)).toThrow(message);
    expect(snapshot(optimizer)).toEqual(before);
  });

  it("refuses a tensor without a shape, and another kind of state for one that has started", () => {
    expect(() => make({ e: new Float32Array(6) }, { rowwiseState: true })).toThrow(/"e" has no shape/);
    const optimizer = tables();
    expect(() => {
      optimizer.groups[0].rowwiseState = false;
    }).toThrow(OptionError);
    optimizer.groups[0].rowwiseState = true;
    expect(() => make(shapes(), { rowwiseState: 1 as never })).toThrow(/rowwiseState/);
  });

  it("takes the memory of one average for each row", () => {
    const size = ({ memory }: { memory: WebAssembly.Memory }) => memory.buffer.byteLength;
    const shape = { e: [20_000, 64] };
    const [rowwise, plain] = [true, false].map((rowwiseState) =>
      make(shape, { rowwiseState, sparse: "exact" }),
    );
    const saved = size(plain!) - size(rowwise!);
    expect(
      saved / (20_000 * 63 * (plain!.params as never as { e: Float32Array }).e.BYTES_PER_ELEMENT),
    ).toBeCloseTo(1, 1);
  });
});

it("is shared by optimizers that are attached", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });
  const whole = new RMSprop(shapes(), { rowwiseState: true });
  const owner = new RMSprop(shapes(), { rowwiseState: true, memory });
  const crew = [owner, RMSprop.attach(structuredClone(owner.handle))];
  for (let step = 0; step < 5; step++) {
    for (const optimizer of [whole, owner]) write(as(optimizer), step);
    whole.step();
    crew.forEach((optimizer, index) => void optimizer.step({ shard: { index, count: 2 } }));
  }
  expect(owner.stateDict().tensors).toEqual(whole.stateDict().tensors);
});
