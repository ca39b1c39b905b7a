/** Helpers for tests of the mathematics: both backends over one memory, and bits to compare. */

import { FLOAT32, FLOAT64, type FloatArray, type Real } from "../../src/base/real.ts";
import {
  AVERAGED,
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSHED,
  type Kernel,
  LEARNED,
  MOMENTUM,
  NESTEROV,
  SCALARS,
  SCHEDULE_FREE,
  type Scalars,
  SHAPED,
  ZEROED,
} from "../../src/kernel/contract.ts";
import { KERNELS as KERNELS_OF_FLOAT32 } from "../../src/kernel/module.ts";
import { KERNELS as KERNELS_OF_FLOAT64 } from "../../src/kernel/module-f64.ts";
import { openReference } from "../../src/kernel/reference.ts";
import type { Segment } from "../../src/kernel/segment.ts";
import { PLANES, type Plane } from "../../src/kernel/segment.ts";
import { openWasm } from "../../src/kernel/wasm.ts";

export type Planes<Elements extends FloatArray = Float32Array> = Record<Plane, Elements>;

/** Every kernel, by the backend that it must say it is. */
export const KERNELS: Record<string, (memory: WebAssembly.Memory, real?: Real) => Kernel> = {
  wasm: (memory, real = FLOAT32) =>
    openWasm(memory, real === FLOAT64 ? KERNELS_OF_FLOAT64 : KERNELS_OF_FLOAT32),
  js: (memory, real = FLOAT32) => openReference(memory, "js", real),
};

const BITS = {
  MOMENTUM,
  CENTERED,
  SHAPED,
  DECAYED,
  NESTEROV,
  CORRECTED,
  AVERAGED,
  ZEROED,
  DECOUPLED,
  FLUSHED,
  SCHEDULE_FREE,
  LEARNED,
};

/** Every combination of the options, named after those that it uses. */
export const ALL_VARIANTS = Array.from({ length: 2 * LEARNED }, (_, variant) => ({
  variant,
  name:
    Object.entries(BITS)
      .filter(([, bit]) => variant & bit)
      .map(([name]) => name.toLowerCase())
      .join(" + ") || "plain",
}));

/** The variants with a loop of their own, some that share the general one, and the work after a loop. */
export const VARIANTS = ALL_VARIANTS.filter(
  ({ variant }) =>
    variant < (SHAPED | DECAYED) ||
    [
      MOMENTUM | CENTERED | SHAPED | DECAYED | NESTEROV | CORRECTED,
      CORRECTED,
      MOMENTUM | NESTEROV,
      AVERAGED | ZEROED,
      DECOUPLED,
      SHAPED | DECOUPLED | MOMENTUM,
      FLUSHED,
      AVERAGED | FLUSHED | MOMENTUM | CENTERED,
      SCHEDULE_FREE,
      SCHEDULE_FREE | DECAYED,
      SCHEDULE_FREE | FLUSHED | DECOUPLED | MOMENTUM | NESTEROV,
      SCHEDULE_FREE | CENTERED | CORRECTED,
      2 * SCHEDULE_FREE - 1,
      LEARNED,
      LEARNED | CORRECTED | FLUSHED,
      2 * LEARNED - 1,
    ].includes(variant),
);

/** Scalars of no particular meaning, so that no factor is neutral and none equals another. */
export function scalarsFor(variant: number, overrides: Partial<Scalars> = {}, real: Real = FLOAT32): Scalars {
  const scalars: Scalars = {
    variant,
    alpha: 0.9375,
    oneMinusAlpha: 0.0625,
    epsInside: 3e-7,
    eps: 1e-6,
    updateScale: variant & MOMENTUM ? 1.25 : 0.0123,
    momentum: 0.7,
    bufferScale: 0.0123,
    gradScale: -1.1,
    clipValue: 2.5,
    decoupledDecay: 0.002,
    weightDecay: 0.017,
    correction: 0.271,
    emaWeight: 0.013,
    zShare: 0.19,
    stepShare: 0.271,
    growth: -0.057,
    ...overrides,
  };
  for (const name of SCALARS) scalars[name] = real.round(scalars[name]);
  return scalars;
}

/**
 * Lays planes out with `shift` elements before each, so that vectors start off their alignment, and a guard on both
 * sides; runs one update over `count` elements; gives the planes after it. Throws when a guard was touched.
 */
export function run<Elements extends FloatArray = Float32Array>(
  backend: string,
  planes: Planes<Elements>,
  scalars: Scalars,
  { shifts = PLANES.map(() => 0) as readonly number[], splits = [] as readonly number[] } = {},
): Planes<Elements> {
  const count = planes.param.length;
  const real = (planes.param.BYTES_PER_ELEMENT === 8 ? FLOAT64 : FLOAT32) as unknown as Real<Elements>;
  const { bytes } = real;
  const guard = 8;
  const stride = Math.ceil((count + 2 * guard + 4) / 4) * 4;
  const memory = new WebAssembly.Memory({
    initial: Math.ceil(((256 + stride * PLANES.length) * bytes) / 65_536),
  });
  const kernel = KERNELS[backend]!(memory, real);
  if (kernel.backend !== backend) throw new Error(`asked for ${backend}, got ${kernel.backend}`);

  const heap = new real.Array(memory.buffer);
  const words = new Uint32Array(memory.buffer).fill(GUARD_WORD);
  const at = PLANES.map((_, i) => 256 + i * stride + guard + shifts[i]!);
  PLANES.forEach((name, i) => {
    heap.set(planes[name], at[i]);
  });

  const edges = [0, ...splits, count];
  for (let i = 1; i < edges.length; i++) {
    const [from, to] = [edges[i - 1]!, edges[i]!];
    const segment = { count: to - from } as Segment;
    PLANES.forEach((name, plane) => {
      segment[name] = (at[plane]! + from) * bytes;
    });
    kernel.update(segment, scalars);
  }

  const inside = new Set(at.flatMap((start) => Array.from({ length: count }, (_, i) => start + i)));
  words.forEach((word, i) => {
    if (word !== GUARD_WORD && !inside.has(Math.floor((i * 4) / bytes)))
      throw new Error(`word ${i} outside the planes became ${word}`);
  });
  return Object.fromEntries(
    PLANES.map((name, i) => [name, heap.slice(at[i], at[i]! + count)]),
  ) as Planes<Elements>;
}

export const GUARD_WORD = 0x5eedca5e;

/**
 * The bits of each number, one pattern for all NaN: which NaN an operation gives is the one thing that WebAssembly
 * and JavaScript leave open.
 */
export function bits(values: FloatArray): Uint32Array {
  const copy = values.slice();
  const words = new Uint32Array(copy.buffer);
  const perElement = copy.BYTES_PER_ELEMENT / 4;
  copy.forEach((value: number, i: number) => {
    if (Number.isNaN(value)) words.fill(0x7fc00000, i * perElement, (i + 1) * perElement);
  });
  return words;
}

export function bitsOf(planes: Planes<FloatArray>): Record<string, Uint32Array> {
  return Object.fromEntries(PLANES.map((name) => [name, bits(planes[name])]));
}

/** Compares the bits of all planes: for thousands of runs, where a matcher that shows differences takes most of the time. */
export function haveSameBits(one: Planes<FloatArray>, other: Planes<FloatArray>): boolean {
  const bytes = (plane: FloatArray) => Buffer.from(bits(plane).buffer);
  return PLANES.every((name) => bytes(one[name]).equals(bytes(other[name])));
}

/** A seeded generator of 32-bit integers (mulberry32), for inputs that are the same on every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  };
}

/** An array of so many elements, each as `make` gives it. */
export function filled<Elements extends FloatArray>(
  real: Real<Elements>,
  count: number,
  make: () => number,
): Elements {
  const values = new real.Array(count);
  for (let i = 0; i < count; i++) values[i] = make();
  return values;
}

/** Planes of ordinary values: a state that a training run could have reached. */
export function ordinaryPlanes(count: number, seed: number): Planes;
export function ordinaryPlanes<Elements extends FloatArray>(
  count: number,
  seed: number,
  real: Real<Elements>,
): Planes<Elements>;
export function ordinaryPlanes(count: number, seed: number, real: Real = FLOAT32): Planes<FloatArray> {
  const next = seeded(seed);
  const symmetric = () =>
    ((next() + (real.bytes === 8 ? next() / 2 ** 32 : 0)) / 2 ** 31 - 1) * 2 ** ((next() % 16) - 8);
  const planes = Object.fromEntries(
    PLANES.map((name) => [name, filled(real, count, symmetric)]),
  ) as Planes<FloatArray>;
  planes.squareAvg.forEach((v, i) => {
    planes.squareAvg[i] = v * v;
  });
  return planes;
}
