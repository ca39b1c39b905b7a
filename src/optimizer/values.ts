/** Initial values: the forms in which callers have them, and their checks. */

import { type FloatArray, type Real, tooLargeIn } from "../base/real.ts";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";

/** Dimensions of a zero-filled tensor, whole numbers above 0, as `[784, 128]`; `[]` is a single number. */
export type Shape = readonly number[];

/** Values in arrays within arrays, as `[[0.1, 0.2], [0.3, 0.4]]`: their shape is that of the nesting, here `[2, 2]`. */
export type NestedValues = readonly (readonly number[] | FloatArray | NestedValues)[];

/** Initial values of a shape: a plain array of numbers, or a typed one, with the last dimension changing fastest. */
export interface ShapedValues {
  /** Dimensions, as in a shape by itself. */
  readonly shape: Shape;
  /** As many numbers as the sizes multiplied. */
  readonly values: readonly number[] | FloatArray;
}

/** Initial values, flat. */
export interface Initial {
  readonly count: number;
  /** Undefined for a flat array, which comes without one. */
  readonly shape?: Shape;
  /** Doubles hold plain numbers as they are: the tensor's view rounds them, once. */
  readonly values: FloatArray;
}

/** More dimensions than anybody's tensors have, and few enough for arrays that hold themselves. */
const MAX_DIMENSIONS = 32;

/** Gives the initial values that a source holds, in whatever form; undefined for a source that holds none. */
export function initialValuesOf(name: string, source: unknown, real: Real): Initial | undefined {
  if (isFloatArray(source)) {
    if (source.length === 0) refuse(name, `got ${show(source)} of length 0`, "at least one value");
    return { count: source.length, values: finite(name, source, real) };
  }
  if (Array.isArray(source)) return source.some(isRow) ? nested(name, source, real) : undefined;
  if (typeof source !== "object" || source === null || ArrayBuffer.isView(source)) return;
  // With a place, it is a tensor to adopt.
  if ("param" in source || !("shape" in source)) return;
  const { shape, values, ...others } = source as Record<string, unknown>;
  if (Object.keys(others).length > 0 || !isShape(shape) || !isFlat(values)) {
    refuse(
      name,
      `got ${show(source)}`,
      "{ shape, values }, a shape of whole numbers above 0 and a flat array of numbers",
    );
  }
  const count = countOf(shape);
  if (values.length !== count) {
    refuse(name, `got ${values.length} values`, `${count}, since the shape is ${show(shape)}`);
  }
  const flat = isFloatArray(values) ? values : Float64Array.from(numbers(name, values));
  return { count, shape: [...shape], values: finite(name, flat, real) };
}

/** Whether a value is a shape. Holes aren't: `every` would pass over them. */
export function isShape(value: unknown): value is Shape {
  return Array.isArray(value) && value.filter(isCount).length === value.length;
}

/** Whether a value is a number of elements. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** The number of elements of a tensor of this shape. */
export function countOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Decides by the tag, since an array of another realm (a frame, a `vm` context) is no `instanceof` of this one's class. */
export function isArrayOf<Elements extends FloatArray>(
  real: Real<Elements>,
  value: unknown,
): value is Elements {
  return Object.prototype.toString.call(value) === `[object ${real.Array.name}]`;
}

export function isFloatArray(value: unknown): value is FloatArray {
  return ArrayBuffer.isView(value) && /^Float(32|64)Array$/.test((value as FloatArray)[Symbol.toStringTag]);
}

const isRow = (value: unknown) => Array.isArray(value) || isFloatArray(value);
const isFlat = (value: unknown): value is readonly unknown[] | FloatArray =>
  isFloatArray(value) || (Array.isArray(value) && !value.some(isRow));

function nested(name: string, source: readonly unknown[], real: Real): Initial {
  const shape: number[] = [];
  for (let row: unknown = source; isRow(row) && shape.length <= MAX_DIMENSIONS; row = (row as unknown[])[0]) {
    shape.push((row as unknown[]).length);
  }
  const count = countOf(shape);
  if (count === 0 || shape.length > MAX_DIMENSIONS) {
    refuse(name, `got ${show(source)}`, `at least one value, in at most ${MAX_DIMENSIONS} dimensions`);
  }
  const values = new Float64Array(count);
  let end = 0;
  const fill = (row: unknown, at: number[]): void => {
    const size = shape[at.length]!;
    const length = isRow(row) ? (row as unknown[]).length : "no row";
    if (length !== size) {
      refuse(
        name,
        `got ${length === "no row" ? show(row) : length} at [${at}]`,
        `a row of ${size}, as the first one`,
      );
    }
    if (at.length < shape.length - 1) {
      for (let i = 0; i < size; i++) fill((row as unknown[])[i], [...at, i]);
    } else {
      values.set(numbers(name, row as ArrayLike<unknown>, at), end);
      end += size;
    }
  };
  fill(source, []);
  return { count, shape, values: finite(name, values, real) };
}

/** Refuses whatever isn't a number: conversion to a typed array makes 0 of null, and NaN of most else. */
function numbers(name: string, values: ArrayLike<unknown>, at: readonly number[] = []): ArrayLike<number> {
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== "number") refuse(name, `got ${show(values[i])} at [${[...at, i]}]`, "a number");
  }
  return values as ArrayLike<number>;
}

/** Refuses doubles that an element can't hold. An infinity or a NaN is taken as it was given. */
function finite(name: string, values: FloatArray, real: Real): FloatArray {
  const at = tooLargeIn(values, real);
  if (at >= 0) refuse(name, `got ${values[at]} at ${at}`, "numbers that a float32 can hold, at most 3.4e38");
  return values;
}

function refuse(name: string, given: string, expected: string): never {
  throw new ParameterError(`Parameter ${show(name)}: ${given}, expected ${expected}.`);
}
