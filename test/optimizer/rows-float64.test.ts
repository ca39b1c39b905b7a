/** Rows that missed steps, in float64: there is no wider type to compute factors in, and they are exact all the same. */
import type { Options } from "rmsprop-wasm";
import { RMSprop } from "rmsprop-wasm/f64";
import { describe, expect, it } from "vitest";
import { type Exact, exact, minus, plus, power, relativeError, times } from "../support/exact.ts";
import { seeded } from "../support/kernels.ts";
import { MOVING, rms } from "../support/table.ts";

const COUNT = 48;
const PLANES = ["param", "squareAvg", "gradAvg", "momentumBuffer", "ema"] as const;

/** Any numbers between -1 and 1 that take all digits of a double. */
function draw(seed: number): Float64Array {
  const next = seeded(seed);
  return Float64Array.from({ length: COUNT }, () => (next() + next() / 2 ** 32) / 2 ** 31 - 1);
}

describe.each(["wasm", "js"] as const)("backend %s", (backend) => {
  /** An optimizer whose rows have had one step, with a gradient for each. */
  const begun = (options: Options) => {
    const optimizer = new RMSprop({ e: { shape: [COUNT, 1], values: draw(1) } }, { ...options, backend });
    expect(optimizer.backend).toBe(backend);
    optimizer.grads.e.set(draw(2));
    optimizer.step({ rows: { e: Array.from({ length: COUNT }, (_, row) => row) }, zeroGrad: true });
    return optimizer;
  };

  it.each([0.5, 0.9, 0.99, 0.999, 0.9999, 1 - 2 ** -20, 1 - 2 ** -31])(
    "multiplies averages by powers of alpha %d, within 2 ulp, whether they come from a table or not",
    (alpha) => {
      for (const missed of [1, 2, 3, 10, 99, 511, 512, 513, 5000, 2 ** 31 - 3]) {
        const optimizer = begun({ alpha, centered: true, sparse: "exact" });
        // Steps without a row, as many as nobody can wait for.
        optimizer.loadStateDict({ ...optimizer.stateDict(), steps: 1 + missed });
        const before = optimizer.stateDict().tensors.e;
        optimizer.catchUp();
        const after = optimizer.stateDict().tensors.e;
        for (const plane of ["squareAvg", "gradAvg"] as const) {
          before[plane]!.forEach((value, i) => {
            const wanted = times(exact(value), power(alpha, missed));
            const kept = after[plane]![i]!;
            if (kept === 0)
              expect(missed * Math.log2(alpha) + Math.log2(Math.abs(value))).toBeLessThan(-1021);
            // An ulp is at least so much of its number: 2^-53.
            else expect(relativeError(kept, wanted)).toBeLessThanOrEqual(2 * 2 ** -53);
          });
        }
      }
    },
  );

  it.each(MOVING)("is no farther from exact numbers than a dense run: %o", (options) => {
    const all: Options = { lr: 0.01, eps: 1e-3, alpha: 0.99, ...options };
    for (const missed of [1, 10, 100, 400]) {
      const [dense, byRows] = [begun(all), begun(all)];
      const wanted = new Dense(dense.stateDict().tensors.e, all);
      for (let step = 1; step <= missed; step++) {
        dense.step();
        byRows.step({ rows: { e: [] } });
        wanted.step(step);
      }
      byRows.catchUp();
      for (const plane of PLANES) {
        const [ours, theirs] = [byRows, dense].map((o) => o.stateDict().tensors.e[plane]);
        if (!ours || !theirs) continue;
        const distance = (values: Float64Array) =>
          rms(values.map((value, i) => relativeError(value, wanted.planes[plane][i]!)));
        // An element whose steps happen to need no rounding is exact in the dense run, and rounded once here.
        expect(distance(ours), `${plane} after ${missed}`).toBeLessThanOrEqual(
          Math.max(1.1 * distance(theirs), 2 ** -52),
        );
      }
    }
  });
});

/** Dense steps without a gradient, in exact numbers. */
class Dense {
  readonly planes: Record<(typeof PLANES)[number], Exact[]>;

  constructor(
    start: Partial<Record<(typeof PLANES)[number], Float64Array>>,
    private readonly options: Options,
  ) {
    const planeOf = (name: (typeof PLANES)[number]) =>
      Array.from(start[name] ?? new Float64Array(COUNT), exact);
    this.planes = {
      param: planeOf("param"),
      squareAvg: planeOf("squareAvg"),
      gradAvg: planeOf("gradAvg"),
      momentumBuffer: planeOf("momentumBuffer"),
      ema: planeOf("ema"),
    };
  }

  step(step: number): void {
    const { lr, alpha, momentum = 0, nesterov, lrInMomentum, weightDecay = 0, ema } = this.options;
    const { param: p, squareAvg: v, gradAvg: a, momentumBuffer: m, ema: e } = this.planes;
    const rate = exact(typeof lr === "function" ? lr(step) : (lr as number));
    const [kept, byMomentum, decay] = [exact(alpha!), exact(momentum), exact(weightDecay)];
    const emaKept = exact(ema ? ema.decay : 0);
    for (let i = 0; i < COUNT; i++) {
      v[i] = times(v[i]!, kept);
      a[i] = times(a[i]!, kept);
      m[i] = times(m[i]!, byMomentum);
      let update = nesterov ? times(m[i]!, byMomentum) : m[i]!;
      if (!lrInMomentum) update = times(update, rate);
      p[i] = minus(p[i]!, plus(update, times(times(rate, decay), p[i]!)));
      e[i] = plus(times(emaKept, e[i]!), times(minus(exact(1), emaKept), p[i]!));
    }
  }
}
