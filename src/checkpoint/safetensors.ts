/**
 * The safetensors format (https://huggingface.co/docs/safetensors): eight bytes of length, a header in JSON that names
 * each tensor's type, shape and place, then the tensors without a gap between them.
 *
 * Files come from anywhere, so the whole header is checked before any of it is used, and memory is bounded by the size of
 * the file. `JSON.parse` alone would pass over duplicate keys.
 */

import { show } from "../base/show.ts";
import { CheckpointError, MemoryError } from "../errors.ts";
import type { Shape } from "../optimizer/params.ts";
import type { Bytes } from "./byte-reader.ts";
import { DTYPES, type Dtype } from "./dtypes.ts";

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
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  /** The tensors in the order of their places. */
  readonly entries: readonly Entry[];
  /** The length of the whole file. */
  readonly byteLength: number;
}

/** A tensor to be written. */
export interface Source {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float32Array | Float64Array;
}

/** The bytes that hold the header's length. */
export const LENGTH_BYTES = 8;
/** The limit of the format's own library. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = "__metadata__";

/** The consecutive parts of a file: a header, then arrays. */
export type FileParts = readonly (Uint8Array | Float32Array | Float64Array)[];

/** The parts of a file with these tensors, in this order. Nothing is copied yet. */
export function fileParts(sources: readonly Source[], metadata: ReadonlyMap<string, string>): FileParts {
  let end = 0;
  const header = new Map<string, unknown>([[METADATA, Object.fromEntries(metadata)]]);
  for (const { name, shape, values } of sources) {
    if (header.has(name)) {
      throw new CheckpointError(
        `Two things would be called ${show(name)} in the file: rename the parameter.`,
      );
    }
    const begin = end;
    end += values.byteLength;
    const dtype = values instanceof Float64Array ? "F64" : "F32";
    header.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // Padded with spaces, so that what follows is aligned.
  const length = Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES;
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, LENGTH_BYTES);
  return [bytes, ...sources.map(({ values }) => values)];
}

/** The whole file, in an array made at once. */
export function concatenated(parts: FileParts): Bytes {
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0);
  let bytes: Bytes;
  try {
    bytes = new Uint8Array(byteLength);
  } catch (cause) {
    throw new MemoryError(`An array of ${byteLength} bytes can't be allocated: use saveChunks.`, { cause });
  }
  let at = 0;
  for (const part of parts) {
    bytes.set(bytesOf(part), at);
    at += part.byteLength;
  }
  return bytes;
}

/** How many bytes of header follow the first eight of a file. */
export function headerLength(start: Uint8Array): number {
  if (start.length < LENGTH_BYTES) {
    throw new CheckpointError(`The file ends at byte ${start.length}, within the length of its header.`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new CheckpointError(
      `Bytes 0 to 8: a header of ${length} bytes, expected at most ${MAX_HEADER_BYTES}. Is it a safetensors file?`,
    );
  }
  return Number(length);
}

/** Checks and reads the header that follows. */
export function parseHeader(bytes: Uint8Array, length: number): Header {
  const dataStart = LENGTH_BYTES + length;
  if (bytes.length < length) {
    throw new CheckpointError(
      `The file ends at byte ${LENGTH_BYTES + bytes.length}, within its header, which ends at ${dataStart}.`,
    );
  }
  let text: string;
  try {
    // A copy, since what threads share can't be decoded.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    throw new CheckpointError(`The header is not in UTF-8: ${cause}`, { cause });
  }
  const json = parseJson(text, "The header");
  // The format allows no space before the brace.
  if (!text.startsWith("{")) throw new CheckpointError("The header doesn't begin with a JSON object.");

  const { [METADATA]: metadata = {}, ...tensors } = json as Record<string, unknown>;
  const entries = Object.entries(tensors)
    .map(([name, value]) => entryOf(name, value, dataStart))
    .sort((a, b) => a.begin - b.begin);
  let end = dataStart;
  for (const { name, ...entry } of entries) {
    if (entry.begin !== end) {
      const what = entry.begin < end ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new CheckpointError(
        `${show(name)}: data_offsets begin at byte ${entry.begin} of the file and not at ${end}, which ${what}.`,
      );
    }
    end = entry.end;
  }
  return { metadata: metadataOf(metadata), entries, byteLength: end };
}

function metadataOf(value: unknown): Map<string, string> {
  const entries = isObject(value) ? Object.entries(value) : [[METADATA, value]];
  for (const [name, text] of entries) {
    if (typeof text !== "string") {
      throw new CheckpointError(`${METADATA}: got ${show(text)} for ${show(name)}, expected a string.`);
    }
  }
  return new Map(entries as [string, string][]);
}

function entryOf(name: string, value: unknown, dataStart: number): Entry {
  const refuse = (field: string, given: unknown, wanted: string): never => {
    throw new CheckpointError(`${show(name)}: ${field} is ${show(given)}, expected ${wanted}.`);
  };
  if (!isObject(value)) return refuse("it", value, "an object");
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  for (const key of Object.keys(others)) refuse("a field", key, "dtype, shape and data_offsets");
  const type = DTYPES.find(({ name }) => name === dtype);
  if (!type) return refuse("dtype", dtype, DTYPES.map(({ name }) => name).join(", "));
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    return refuse("shape", shape, "whole numbers above 0");
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(Number.isSafeInteger)) {
    return refuse("data_offsets", offsets, "two whole numbers");
  }
  // Inexact above 2 ** 53, and then above any file's size, too.
  const count = shape.reduce((product: number, size: number) => product * size, 1);
  const [begin, end] = offsets as [number, number];
  if (begin < 0 || end - begin !== count * type.byteLength) {
    return refuse("data_offsets", offsets, `${count * type.byteLength} bytes for its dtype and shape`);
  }
  return { name, dtype: type, shape, count, begin: dataStart + begin, end: dataStart + end };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses JSON in which no object has two keys of one name. `where` begins the message of an error. */
export function parseJson(text: string, where: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`${where} is not JSON: ${cause}`, { cause });
  }
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined) throw new CheckpointError(`${where} names ${show(duplicate)} twice.`);
  return json;
}

/** Finds the first key that an object has twice, in text that is known to be JSON. */
function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  let string = "";
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{") open.push(new Set());
    if (character === "}") open.pop();
    if (character === '"') {
      const start = at;
      while (json[++at] !== '"') if (json[at] === "\\") at++;
      string = json.slice(start, at + 1);
    }
    if (character === ":") {
      const key: string = JSON.parse(string);
      if (open.at(-1)!.has(key)) return key;
      open.at(-1)!.add(key);
    }
  }
  return undefined;
}

/** The bytes of a tensor in a whole file. */
export function bytesIn(file: Uint8Array, { begin, end }: Entry): Uint8Array {
  return file.subarray(begin, end);
}

/** Checks a whole file, but for the values of its tensors. */
export function openFile(source: Uint8Array | ArrayBufferLike): { bytes: Uint8Array; header: Header } {
  const tag = Object.prototype.toString.call(source);
  if (!ArrayBuffer.isView(source) && tag !== "[object ArrayBuffer]" && tag !== "[object SharedArrayBuffer]") {
    throw new CheckpointError(
      `The file: got ${show(source)}, expected its bytes, in a Uint8Array or ArrayBuffer.`,
    );
  }
  const bytes = ArrayBuffer.isView(source) ? bytesOf(source) : new Uint8Array(source);
  const length = headerLength(bytes);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length), length);
  checkLength(header, bytes.length);
  return { bytes, header };
}

/** Checks that a file ends where its tensors do. */
export function checkLength({ byteLength }: Header, fileBytes: number): void {
  if (fileBytes !== byteLength) {
    throw new CheckpointError(
      `The file ends ${fileBytes < byteLength ? `at byte ${fileBytes}` : "later"}, and its tensors at ${byteLength}: was it cut short, or joined?`,
    );
  }
}

/** The bytes of an array. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
