/** The pass of a learned rate: inner products, the same bits on every backend and with threads. */
import { expect, it } from "vitest";
import { FLOAT32, FLOAT64, type FloatArray, type Real } from "../../src/base/real.ts";
import { bits, KERNELS, seeded } from "../support/kernels.ts";
import { makeTwins } from "../support/pools.ts";

const COUNTS = [1, 3, 4, 5, 7, 8, 9, 31, 32, 63, 64, 65, 127, 500, 4095, 4096, 4097, 3 * 4096 + 77];

/** Two planes of `count` elements, on a backend. */
function planes(backend: string, real: Real, count: number, shift: number) {
  const stride = count + 16;
  const memory = new WebAssembly.Memory({
    initial: Math.ceil(((2 * stride + 160) * real.bytes) / 65_536) + 1,
  });
  const heap: FloatArray = new real.Array(memory.buffer);
  const next = seeded(count);
  for (let i = 0; i < heap.length; i++) heap[i] = (next() / 2 ** 31 - 1) * 2 ** ((next() % 20) - 10);
  const [grad, moved] = [0, 1].map((i) => (160 + i * stride + shift) * real.bytes) as [number, number];
  return { kernel: KERNELS[backend]!(memory, real), heap, grad, moved };
}

it.each([
  [FLOAT32, 1e-6],
  [FLOAT64, 1e-14],
] as const)("backends agree to the bit, and with a sum in double, over %o", (real, precision) => {
  for (const count of COUNTS) {
    const results = Object.keys(KERNELS).map((backend) => {
      const { kernel, heap, grad, moved } = planes(backend, real, count, count % 5);
      const before = heap.slice();
      const scale = real.round(-1.1);
      const products = [2, Infinity].map((highest) => {
        const sum = kernel.innerProduct(grad, moved, count, scale, highest);
        let exact = 0;
        let size = 0;
        for (let i = 0; i < count; i++) {
          const at = (ptr: number) => heap[ptr / real.bytes + i]!;
          const product = Math.min(highest, Math.max(-highest, scale * at(grad))) * at(moved);
          exact += product;
          size += Math.abs(product);
        }
        expect(Math.abs(sum - exact)).toBeLessThanOrEqual(precision * size);
        return sum;
      });
      expect(bits(heap)).toEqual(bits(before));
      return products;
    });
    expect(results[1]).toEqual(results[0]);
  }
});

it.each(Object.keys(KERNELS))(
  "is 0 for no element, and not finite where a product isn't, on %s",
  (backend) => {
    const { kernel, heap, grad, moved } = planes(backend, FLOAT32, 37, 1);
    expect(kernel.innerProduct(grad, moved, 0, 1, Infinity)).toBe(0);
    for (const i of [0, 16, 36]) {
      const gradient = heap[grad / 4 + i]!;
      heap[grad / 4 + i] = NaN;
      for (const highest of [2, Infinity]) {
        expect(kernel.innerProduct(grad, moved, 37, 1, highest)).toBe(NaN);
      }
      heap[grad / 4 + i] = gradient;
    }
  },
);

it("gives the bits of one thread with several, whose chunks meet anywhere", async () => {
  const most = 5 * 4096 + 99;
  const { pool, one, segmentOf, fill, differences } = makeTwins(3, most);
  await pool.ready;
  for (const count of [1, 4095, 4097, 3 * 4096, most]) {
    const segment = segmentOf(count, count % 16);
    fill(segment, count);
    const { grad, moved } = segment;
    for (const highest of [0.5, Infinity]) {
      const product = one.innerProduct(grad, moved, count, 1.1, highest);
      expect(pool.innerProduct(grad, moved, count, 1.1, highest)).toBe(product);
    }
    expect(differences()).toEqual([]);
  }
  const segment = segmentOf(most);
  for (let i = 0; i < 20_000 && pool.chunksDone.includes(0); i++) {
    pool.innerProduct(segment.grad, segment.moved, most, 1, Infinity);
  }
  expect(Math.min(...pool.chunksDone)).toBeGreaterThan(0);
});
