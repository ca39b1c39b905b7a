/**
 * The type of an optimizer's elements: all in which the entries for float32 and float64 differ. Whatever holds elements,
 * counts their bytes or rounds numbers for a kernel takes it from here: with a `Float32Array`, a 4 or a `Math.fround` of its
 * own, it would be right for one of the two alone.
 */
import type { Arithmetic } from "./arithmetic.ts";
import { PAIRS } from "./pairs.ts";

/** An array of floats, of either type. */
export type FloatArray = Float32Array | Float64Array;

export interface Real<Elements extends FloatArray = FloatArray> {
  readonly name: "float32" | "float64";
  readonly Array: {
    new (count: number): Elements;
    new (buffer: ArrayBufferLike, byteOffset?: number, count?: number): Elements;
  };
  readonly bytes: 4 | 8;
  /** Rounds a double to the nearest element. */
  round(value: number): number;
  /** The root of a sum of squares. `sum` gives it, with each element multiplied by `scale` first. */
  root(sum: (scale: number) => number): number;
  /** The arithmetic of factors, if an element has too many digits for that of doubles. */
  readonly arithmetic?: Arithmetic;
  readonly smallestNormal: number;
  readonly largestFinite: number;
}

/** The index of the first number that an element would hold as an infinity, or -1: the narrowing of doubles may lose digits, no more. */
export function tooLargeIn(values: FloatArray, { bytes, round }: Real): number {
  if (values.BYTES_PER_ELEMENT <= bytes) return -1;
  return values.findIndex((value: number) => Number.isFinite(value) && !Number.isFinite(round(value)));
}

export const FLOAT32: Real<Float32Array> = {
  name: "float32",
  Array: Float32Array,
  bytes: 4,
  round: Math.fround,
  // A double has room for the squares of more float32 numbers than a memory holds.
  root: (sum) => Math.sqrt(sum(1)),
  smallestNormal: 2 ** -126,
  largestFinite: (2 - 2 ** -23) * 2 ** 127,
};

export const FLOAT64: Real<Float64Array> = /* @__PURE__ */ (() => ({
  name: "float64",
  Array: Float64Array,
  bytes: 8,
  round: (value) => value,
  // Squares overflow from 1e154 up and vanish below 1e-162: then they are added up again, at a scale that has room.
  root(sum) {
    const plain = sum(1);
    if (plain >= 2 ** -900 && plain < Infinity) return Math.sqrt(plain);
    const scale = plain < 1 ? 2 ** 600 : 2 ** -540;
    return Math.sqrt(sum(scale)) / scale;
  },
  arithmetic: PAIRS,
  smallestNormal: 2 ** -1022,
  largestFinite: Number.MAX_VALUE,
}))();

/** The shift from a byte offset, which may be above 2 ** 31, to an element's index. */
export function shiftOf({ bytes }: Pick<Real, "bytes">): number {
  return bytes === 4 ? 2 : 3;
}
