/** The factor of a row's averages, alpha to the power of the steps that it has missed: as near as an element can tell. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FLOAT32, FLOAT64, type Real } from "../../src/base/real.ts";
import { IDLE } from "../../src/kernel/contract.ts";
import { segmentAt } from "../../src/kernel/segment.ts";
import * as exactly from "../support/exact.ts";
import { KERNELS, scalarsFor } from "../support/kernels.ts";

/** A mean square of 1 after its decay, by each backend, which must agree. */
function keptIn(real: Real, alpha: number, missed: number): number {
  const [kept, ...others] = Object.entries(KERNELS).map(([backend, open]) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const kernel = open(memory, real);
    expect(kernel.backend).toBe(backend);
    const squareAvg = new real.Array(memory.buffer, 1024, 1);
    squareAvg[0] = 1;
    const segment = segmentAt({ param: 2048, grad: 3072, squareAvg: 1024 }, 1);
    kernel.updateRows(segment, scalarsFor(IDLE, {}, real), {
      ptr: 4096,
      count: 1,
      steps: 5120,
      now: missed,
      averageKept: alpha,
      powers: 0,
      moves: 0,
    });
    return squareAvg[0]!;
  });
  for (const other of others) expect(other).toBe(kept);
  return kept!;
}

const MOST = 2 ** 32 - 1;
const ALPHAS = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 - 2 ** -20, 1 - 2 ** -33, 1 - 2 ** -53, 1];
const COUNTS = [1, 2, 3, 7, 100, 511, 512, 513, 1000, 12_345, 2 ** 20 + 1, 2 ** 31 - 1, 2 ** 31, MOST];
const anyAlpha = fc
  .tuple(fc.double({ min: 0.5, max: 1, noNaN: true }), fc.integer({ min: 0, max: 40 }))
  .map(([share, halvings]) => 1 - share * 2 ** -halvings);
/** As many small counts as large ones. */
const anyCount = fc
  .double({ min: 0, max: 32, noNaN: true })
  .map((digits) => Math.min(Math.floor(2 ** digits), MOST));

describe("float64", () => {
  /** Whether it is the nearest double: half of its last digit off, or a two thousandth more; 0 where it would be denormal. */
  const expectNearest = (alpha: number, missed: number) => {
    const wanted = exactly.power(alpha, missed);
    const kept = keptIn(FLOAT64, alpha, missed);
    if (kept !== 0) expect(exactly.relativeError(kept, wanted)).toBeLessThan(1.0005 * 2 ** -53);
    else if (alpha > 0) expect(missed * Math.log2(alpha)).toBeLessThan(-1022 + 1e-9);
  };

  it.each(ALPHAS)("is the nearest double to a power of %d", (alpha) => {
    for (const missed of COUNTS) expectNearest(alpha, missed);
  });

  it("is the nearest double to any power of any alpha", () => {
    fc.assert(fc.property(anyAlpha, anyCount, expectNearest), { numRuns: 1000 });
  });
});

describe("float32", () => {
  it("is within 2 ulp of any power of any alpha, in a billion steps", () => {
    const anyUpTo = anyCount.filter((count) => count <= 2 ** 30);
    fc.assert(
      fc.property(anyAlpha, anyUpTo, (alpha, missed) => {
        const kept = keptIn(FLOAT32, alpha, missed);
        const wanted = exactly.power(alpha, missed);
        if (kept !== 0) expect(exactly.relativeError(kept, wanted)).toBeLessThan(2 * 2 ** -24);
        else if (alpha > 0) expect(missed * Math.log2(alpha)).toBeLessThan(-126 + 1e-6);
      }),
      { numRuns: 1000 },
    );
  });
});
