/** The passes of a learned rate: inner products and moves, the same bits on every backend and with threads. */
import { expect, it } from "vitest";
import { FLOAT32, FLOAT64, type FloatArray, type Real } from "../../src/base/real.ts";
import { bits, KERNELS, seeded } from "../support/kernels.ts";
import { makeTwins } from "../support/pools.ts";

const COUNTS = [1, 3, 4, 5, 7, 8, 9, 31, 32, 63, 64, 65, 127, 500, 4095, 4096, 4097, 3 * 4096 + 77];

/** Three planes of `count` elements behind a guard, on a backend. */
function planes(backend: string, real: Real, count: number, shift: number) {
  const stride = count + 16;
  const memory = new WebAssembly.Memory({
    initial: Math.ceil(((3 * stride + 160) * real.bytes) / 65_536) + 1,
  });
  const heap: FloatArray = new real.Array(memory.buffer);
  const next = seeded(count);
  for (let i = 0; i < heap.length; i++) heap[i] = (next() / 2 ** 31 - 1) * 2 ** ((next() % 20) - 10);
  const [grad, point, origin] = [0, 1, 2].map((i) => (160 + i * stride + shift) * real.bytes) as [
    number,
    number,
    number,
  ];
  return { kernel: KERNELS[backend]!(memory, real), heap, grad, point, origin };
}

it.each([
  [FLOAT32, 1e-6],
  [FLOAT64, 1e-14],
] as const)("backends agree to the bit, and with a sum in double, over %o", (real, precision) => {
  for (const count of COUNTS) {
    const results = Object.keys(KERNELS).map((backend) => {
      const { kernel, heap, grad, point, origin } = planes(backend, real, count, count % 5);
      const scale = real.round(-1.1);
      const sum = kernel.innerProduct(grad, point, origin, count, scale, 2);
      const unclipped = kernel.innerProduct(grad, point, origin, count, 1, Infinity);
      let exact = 0;
      let size = 0;
      for (let i = 0; i < count; i++) {
        const at = (ptr: number) => heap[ptr / real.bytes + i]!;
        const product = Math.min(2, Math.max(-2, scale * at(grad))) * (at(origin) - at(point));
        exact += product;
        size += Math.abs(product);
      }
      expect(Math.abs(sum - exact)).toBeLessThanOrEqual(precision * size);
      kernel.move(point, grad, origin, count, real.round(0.3));
      return { sum, unclipped, bits: bits(heap) };
    });
    expect(results[1]).toEqual(results[0]);
  }
});

it("moves nothing beside its elements", () => {
  const { kernel, heap, grad, point, origin } = planes("wasm", FLOAT32, 13, 1);
  const before = heap.slice();
  kernel.move(point, grad, origin, 13, 0.5);
  const changed = [...heap.keys()].filter((i) => heap[i] !== before[i]);
  expect(changed).toEqual(Array.from({ length: 13 }, (_, i) => point / 4 + i));
});

it("gives the bits of one thread with several, whose chunks meet anywhere", async () => {
  const most = 5 * 4096 + 99;
  const { pool, one, segmentOf, fill, differences } = makeTwins(3, most);
  await pool.ready;
  for (const count of [1, 4095, 4097, 3 * 4096, most]) {
    const segment = segmentOf(count, count % 16);
    fill(segment, count);
    const { grad, param, x0 } = segment;
    const product = one.innerProduct(grad, param, x0, count, 1, 0.5);
    expect(pool.innerProduct(grad, param, x0, count, 1, 0.5)).toBe(product);
    for (const kernel of [one, pool]) kernel.move(param, grad, x0, count, 0.25);
    expect(differences()).toEqual([]);
  }
  expect(Math.min(...pool.chunksDone)).toBeGreaterThan(0);
});
