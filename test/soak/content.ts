/** The contents of tensors: ordinary numbers, and those at the edges of float32. */
import fc from "fast-check";
import { seeded } from "../support/kernels.ts";

const FORMS = ["ordinary", "ordinary", "ordinary", "zeros", "special", "huge"] as const;
const SPECIAL = [NaN, Infinity, -Infinity, -0, 0, 1e-40, -1e-45, 3e38];

export const content = fc.record({ form: fc.constantFrom(...FORMS), seed: fc.nat(0xffff) });
export type Content = typeof content extends fc.Arbitrary<infer Value> ? Value : never;

export function valuesOf(count: number, { form, seed }: Content): Float32Array {
  const next = seeded(seed);
  return Float32Array.from({ length: count }, () => {
    const ordinary = (next() / 2 ** 31 - 1) * 2 ** ((next() % 8) - 4);
    if (form === "zeros") return 0;
    if (form === "huge") return ordinary * 1e30;
    return form === "special" && next() % 4 === 0 ? SPECIAL[next() % SPECIAL.length]! : ordinary;
  });
}
