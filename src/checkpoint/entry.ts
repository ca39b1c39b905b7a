/** A tensor's entry in the header of a safetensors file. */

import type { FloatArray } from "../base/real.ts";
import { cut, show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { Shape } from "../optimizer/params.ts";
import { areFloatsOf, DTYPES, type Dtype, decode } from "./dtypes.ts";
import type { JsonReader } from "./json.ts";

/** A tensor of a file. */
export interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
  /** The number of elements. */
  readonly count: number;
  /** The place in bytes from the file's start. */
  readonly begin: number;
  readonly end: number;
  /** The place among the file's entries, known once all of them are read. */
  index: number;
}

export function isSameShape(a: Shape, b: Shape): boolean {
  return a === b || (a.length === b.length && a.every((size, i) => size === b[i]));
}

/** A tensor's elements in a file: a view where they are of an optimizer's type and aligned, else a copy. Doubles stay doubles. */
export function valuesOf({ dtype, count, begin, end }: Entry, file: Uint8Array): FloatArray {
  const Elements = areFloatsOf(dtype, 8) ? Float64Array : Float32Array;
  const { BYTES_PER_ELEMENT: bytes } = Elements;
  const byteOffset = file.byteOffset + begin;
  if (areFloatsOf(dtype, bytes) && byteOffset % bytes === 0) {
    return new Elements(file.buffer as ArrayBuffer, byteOffset, count);
  }
  const values = new Elements(count);
  decode(dtype, file.subarray(begin, end), values);
  return values;
}

/**
 * Gives the function that reads a tensor's entry, by its name. It is made once for a header: a set of fields and functions of its
 * own for each entry took half of the time of reading it.
 *
 * @param dataStart The byte of the file at which the tensors begin.
 */
export function entryReader(reader: JsonReader, dataStart: number): (name: string) => Entry {
  let name: string;
  let dtype: Dtype | undefined;
  let shape: Shape | undefined;
  let offsets: Shape | undefined;
  let others: Set<string> | undefined;
  /** The numbers of the list that is read. Each list of its own would get room for 17: entries took twice the memory. */
  const sizes: number[] = [];
  let sizesOfField: string;
  let length: number;
  let before: Entry | undefined;
  /** An entry like the one before it, and its text up to the offsets, as all known writers order and space it. */
  let usual: Entry | undefined;
  let usualText = "";

  const refuse = (field: string, given: string, wanted: string): never => {
    throw new CheckpointError(`${show(name)}: ${field} is ${cut(given)}, expected ${wanted}.`);
  };
  const known = () => [...DTYPES.keys()].join(", ");

  const takeSize = (): void => {
    const size = reader.size();
    if (size === undefined) {
      throw new CheckpointError(
        `${show(name)}: ${sizesOfField} holds ${cut(reader.raw())}, expected whole numbers in digits alone, below 2 ** 53.`,
      );
    }
    sizes[length++] = size;
  };

  const sizesOf = (field: string, wanted: string): Shape => {
    if (reader.peek() !== "[") refuse(field, reader.raw(), wanted);
    sizesOfField = field;
    length = 0;
    reader.items(takeSize);
    return sizes.slice(0, length);
  };

  /** Fields that the format doesn't have are passed over, as its own library does. */
  const takeField = (field: string): boolean => {
    if (field === "dtype") {
      if (dtype) return false;
      if (reader.peek() !== '"') refuse(field, reader.raw(), known());
      const given = reader.string();
      dtype = DTYPES.get(given) ?? refuse(field, show(given), known());
    } else if (field === "shape") {
      if (shape) return false;
      shape = sizesOf(field, "whole numbers");
      if (before && isSameShape(shape, before.shape)) shape = before.shape;
    } else if (field === "data_offsets") {
      if (offsets) return false;
      offsets = sizesOf(field, "two whole numbers");
    } else {
      others ??= new Set();
      if (others.size === others.add(field).size) return false;
      reader.raw();
    }
    return true;
  };

  return (given) => {
    name = given;
    dtype = shape = offsets = others = undefined;
    if (reader.peek() !== "{") refuse("it", reader.raw(), "an object");
    // Most entries are like the one before, and needn't be read word by word.
    offsets = usual && reader.pair(usualText, "]}");
    if (usual && offsets) {
      ({ dtype, shape } = usual);
      return entryOf();
    }
    reader.anyMembers(takeField);
    const entry = entryOf();
    if (entry.dtype === before?.dtype && entry.shape === before.shape) {
      usual = entry;
      usualText = `{"dtype":"${entry.dtype.name}","shape":[${entry.shape}],"data_offsets":[`;
    }
    before = entry;
    return entry;
  };

  function entryOf(): Entry {
    if (!dtype) return refuse("dtype", "missing", known());
    if (!shape) return refuse("shape", "missing", "whole numbers");
    if (offsets?.length !== 2) {
      return refuse("data_offsets", offsets ? show(offsets) : "missing", "two whole numbers");
    }
    let count = 1;
    for (const size of shape) {
      count *= size;
      if (count >= 2 ** 64) return refuse("shape", show(shape), "fewer elements than 2 ** 64");
    }
    const [begin, end] = offsets as readonly [number, number];
    // Inexact above 2 ** 53, where no file's size is.
    const byteLength = (count * dtype.bits) / 8;
    if (end - begin !== byteLength) {
      return refuse("data_offsets", show(offsets), `${byteLength} bytes for its dtype and shape`);
    }
    return { name, dtype, shape, count, begin: dataStart + begin, end: dataStart + end, index: 0 };
  }
}
