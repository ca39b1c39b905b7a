/** The mathematics: every backend gives the reference's bits, wherever an element stands and whatever it holds. */
import { describe, expect, it } from "vitest";
import { FLOAT32, FLOAT64, type FloatArray, type Real } from "../../src/base/real.ts";
import { AVERAGED, CENTERED, LEARNED, MOMENTUM, SCHEDULE_FREE, ZEROED } from "../../src/kernel/contract.ts";
import { PLANES, type Segment } from "../../src/kernel/segment.ts";
import {
  ALL_VARIANTS,
  bitsOf,
  filled,
  haveSameBits,
  KERNELS,
  ordinaryPlanes,
  type Planes,
  run,
  scalarsFor,
  seeded,
  VARIANTS,
} from "../support/kernels.ts";

/** Eight elements make a turn of the vector loop, and 1,024 a piece, 512 of float64. */
const COUNTS = [...Array(18).keys(), 23, 24, 25, 31, 67, 511, 512, 513, 1023, 1024, 1025, 3077];
const SHIFTS = [
  [0, 0, 0, 0, 0, 0, 0, 0],
  [1, 1, 1, 1, 1, 1, 1, 1],
  [2, 0, 3, 1, 2, 3, 1, 2],
  [3, 2, 1, 0, 3, 0, 2, 3],
];
const SPECIAL = [
  0,
  -0,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  2 ** -127,
  2 ** -126,
  1e-30,
  -1e-23,
  1e19,
  -1.9e19,
  3.4e38,
  Infinity,
  -Infinity,
  NaN,
];

/** The same in float64: its smallest denormal, its smallest normal number, and numbers whose squares overflow or vanish. */
const SPECIAL_IN_FLOAT64 = [
  ...[0, -0, 1, -1, 2 ** -1074, -(2 ** -1074), 2 ** -1023, 2 ** -1022, 1e-200, -1e-161],
  ...[1e154, -1.9e154, Number.MAX_VALUE, Infinity, -Infinity, NaN],
];

/**
 * Updates planes of so many elements, at different alignments, the last one at the end of the memory, and gives the whole
 * memory with what is between them.
 */
function afterLargeUpdate(backend: string, count: number, real: Real): Uint8Array {
  const tile = ordinaryPlanes(4099, 11, real);
  const stride = (count + 5) * real.bytes;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((1024 + 3 * stride) / 65_536) });
  const segment = Object.fromEntries(PLANES.map((name) => [name, 0])) as unknown as Segment;
  for (const [i, name] of (["param", "grad", "squareAvg"] as const).entries()) {
    segment[name] = memory.buffer.byteLength - (3 - i) * stride + 5 * real.bytes;
    const plane = new real.Array(memory.buffer, segment[name], count);
    for (let at = 0; at < count; at += 4099) plane.set(tile[name].subarray(0, count - at), at);
  }
  KERNELS[backend]!(memory, real).update({ ...segment, count }, scalarsFor(0, {}, real));
  return new Uint8Array(memory.buffer);
}

describe.each(
  Object.keys(KERNELS).flatMap((backend) => [
    { backend, real: FLOAT32 as Real },
    { backend, real: FLOAT64 as Real },
  ]),
)("$real.name on backend $backend", ({ backend, real }) => {
  describe.each(VARIANTS)("$name", ({ variant }) => {
    const scalars = scalarsFor(variant, {}, real);

    it.each(COUNTS)("gives the reference's bits for %i elements at every alignment", (count) => {
      for (const shifts of SHIFTS) {
        const planes = ordinaryPlanes(count, count + 1, real);
        expect(bitsOf(run(backend, planes, scalars, { shifts }))).toEqual(bitsOf(run("js", planes, scalars)));
      }
    });

    it("gives the reference's bits for special values in body and tail", () => {
      const next = seeded(7);
      const special = real === FLOAT32 ? SPECIAL : SPECIAL_IN_FLOAT64;
      const pick = () => special[next() % special.length]!;
      const planes = Object.fromEntries(
        PLANES.map((name) => [name, filled<FloatArray>(real, 4099, pick)]),
      ) as Planes<FloatArray>;
      // State is never negative; what a checkpoint brought in is not ours to test here.
      planes.squareAvg = planes.squareAvg.map((v: number) => Math.abs(v)) as FloatArray;
      const expected = bitsOf(run("js", planes, scalars));
      expect(bitsOf(run(backend, planes, scalars))).toEqual(expected);

      const elements = Array.from({ length: 99 }, (_, i) => i * 41);
      for (const i of elements) {
        const alone = Object.fromEntries(
          PLANES.map((name) => [name, planes[name].slice(i, i + 1)]),
        ) as Planes<FloatArray>;
        const result = bitsOf(run(backend, alone, scalars));
        const words = real.bytes / 4;
        for (const name of PLANES) {
          expect(result[name]).toEqual(expected[name]!.subarray(i * words, (i + 1) * words));
        }
      }
    });

    it("leaves what it doesn't use as it was, and the gradient unless it clears it", () => {
      const planes = ordinaryPlanes(37, 3, real);
      const after = run(backend, planes, scalars);
      expect(after.grad).toEqual(variant & ZEROED ? new real.Array(37) : planes.grad);
      if (!(variant & MOMENTUM)) expect(after.momentumBuffer).toEqual(planes.momentumBuffer);
      if (!(variant & CENTERED)) expect(after.gradAvg).toEqual(planes.gradAvg);
      if (!(variant & AVERAGED)) expect(after.ema).toEqual(planes.ema);
      if (!(variant & SCHEDULE_FREE)) expect(after.z).toEqual(planes.z);
      if (!(variant & LEARNED)) expect(after.moved).toEqual(planes.moved);
    });
  });

  it("gives the reference's bits where the halves of large planes are updated side by side", () => {
    const from = 2 ** 24 / real.bytes;
    for (const count of [from - 1, from, from + 1, from + 4096 / real.bytes + 3]) {
      expect(
        Buffer.compare(afterLargeUpdate(backend, count, real), afterLargeUpdate("js", count, real)),
      ).toBe(0);
    }
  });

  it("gives the reference's bits for every combination of options", () => {
    for (const { variant, name } of ALL_VARIANTS) {
      const planes = ordinaryPlanes(67, variant, real);
      const scalars = scalarsFor(variant, {}, real);
      expect(haveSameBits(run(backend, planes, scalars), run("js", planes, scalars)), name).toBe(true);
    }
  });
});
