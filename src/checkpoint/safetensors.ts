/**
 * The safetensors format (https://huggingface.co/docs/safetensors): eight bytes of length, a header in JSON that names
 * each tensor's type, shape and place, then the tensors without a gap between them.
 *
 * Files come from anywhere, so the whole header is checked before any of it is used, and memory is bounded by the size of
 * the file. `JSON.parse` alone would pass over duplicate keys.
 */

import { cut, show } from "../base/show.ts";
import { CheckpointError, MemoryError } from "../errors.ts";
import type { Shape } from "../optimizer/params.ts";
import type { Bytes } from "./chunks.ts";
import { DTYPES } from "./dtypes.ts";
import { type Entry, entryReader } from "./entry.ts";
import { JsonReader } from "./json.ts";
import { Metadata } from "./metadata.ts";

export interface Header {
  readonly metadata: Metadata;
  /** The tensors in the order of their places. */
  readonly entries: readonly Entry[];
  /** The same by name. */
  readonly byName: ReadonlyMap<string, Entry>;
  /** The length of the whole file. */
  readonly byteLength: number;
}

/** A tensor to be written. */
export interface Source {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: string;
  readonly values: ArrayBufferView;
}

/** Whether a tensor has an ASCII name that JSON has as it is, and a shape of few whole numbers that fits its bytes. */
function isPlainlySound({ name, shape, dtype, values }: Source): boolean {
  let count = 1;
  for (const size of shape) count *= Number.isInteger(size) && size > 0 ? size : NaN;
  return /^[ !#-[\]-~]*$/.test(name) && count * (DTYPES.get(dtype)?.bits ?? NaN) === values.byteLength * 8;
}

/** The bytes that hold the header's length. */
export const LENGTH_BYTES = 8;
/** The limit of the format's own library. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = "__metadata__";
/** Characters of a header that are encoded at a time: with one text of all, the file of 32,000 tensors took a quarter longer. */
const PIECE = 2 ** 16;

/** The consecutive parts of a file: a header, then arrays. */
export type FileParts = readonly ArrayBufferView[];

/**
 * The parts of a file with these tensors, in this order. Nothing is copied yet. Entries that aren't plainly sound pass the
 * reader's own checks, so that nothing is written which can't be read. To read them all again took half of the time that a
 * file of 60,000 tensors takes, and the metadata, which are text of this package's own making, as long as all else.
 *
 * @param metadata The JSON of the metadata's object.
 */
export function fileParts(sources: readonly Source[], metadata: string): FileParts {
  const encoder = new (needed("TextEncoder"))();
  const pieces: Uint8Array[] = [];
  let end = 0;
  const taken = new Set([METADATA]);
  // A text that grows: a list of the entries, joined, took a third longer.
  let text = `{"${METADATA}":${metadata}`;
  for (const source of sources) {
    if (text.length > PIECE) {
      pieces.push(encoder.encode(text));
      text = "";
    }
    const { name, values } = source;
    if (taken.size === taken.add(name).size) throw twoThings(name);
    const isSound = isPlainlySound(source);
    const key = isSound ? `"${name}"` : JSON.stringify(name);
    if (!isSound) headerFrom(`{${key}:${entryAt(0, source)}}`, 0);
    text += `,${key}:${entryAt(end, source)}`;
    end += values.byteLength;
  }
  pieces.push(encoder.encode(`${text}}`));
  const textBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  // Padded with spaces, so that what follows is aligned.
  const length = Math.ceil(textBytes / LENGTH_BYTES) * LENGTH_BYTES;
  if (length > MAX_HEADER_BYTES) {
    throw new CheckpointError(
      `The file's header would take ${length} bytes, and files may have at most ${MAX_HEADER_BYTES}: use shorter names, fewer tensors, or several optimizers.`,
    );
  }
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  let at = LENGTH_BYTES;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return [bytes, ...sources.map(({ values }) => values)];
}

/** The JSON of a tensor's entry that begins at a byte of the data. */
function entryAt(begin: number, { dtype, shape, values }: Source): string {
  return `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${begin + values.byteLength}]}`;
}

/** The error of a parameter that is called as another one's state would be, or as the format's own key. */
export function twoThings(key: string): CheckpointError {
  return new CheckpointError(`Two things would be called ${show(key)} in the file: rename the parameter.`);
}

/** A global of the engine, which some engines for small devices and some test environments lack. */
function needed<Name extends "TextDecoder" | "TextEncoder">(name: Name): (typeof globalThis)[Name] {
  const found = globalThis[name];
  if (found === undefined) {
    throw new CheckpointError(
      `This engine has no ${name}, which checkpoints need: set globalThis.${name} to a polyfill, or to that of node:util.`,
    );
  }
  return found;
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
      `The file ends at byte ${LENGTH_BYTES + bytes.length}, within its header, which ends at ${dataStart}. Is it a safetensors file?`,
    );
  }
  const decoder = new (needed("TextDecoder"))("utf-8", { fatal: true, ignoreBOM: true });
  let text: string;
  try {
    // A decoder refuses memory that threads share, or that can be resized.
    const isPlain =
      bytes.buffer instanceof ArrayBuffer && !(bytes.buffer as { resizable?: boolean }).resizable;
    text = decoder.decode(isPlain ? bytes : bytes.slice());
  } catch (cause) {
    throw new CheckpointError(`The header is not in UTF-8: ${cut(String(cause))}`, { cause });
  }
  return headerFrom(text, dataStart);
}

function headerFrom(text: string, dataStart: number): Header {
  const reader = new JsonReader(text, "The header");
  if (reader.peek() !== "{") {
    throw new CheckpointError(`The header is ${cut(reader.raw())}, expected a JSON object.`);
  }
  let metadata: Metadata | undefined;
  const byName = new Map<string, Entry>();
  const readEntry = entryReader(reader, dataStart);
  reader.anyMembers((name) => {
    if (name === METADATA) {
      if (metadata) return false;
      metadata = metadataFrom(reader);
      return true;
    }
    return byName.size < byName.set(name, readEntry(name)).size;
  });
  reader.end();
  const entries = [...byName.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = dataStart;
  entries.forEach((entry, i) => {
    if (entry.begin !== end) {
      const what = entry.begin < end ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new CheckpointError(
        `${show(entry.name)}: data_offsets begin at byte ${entry.begin} of the file and not at ${end}, which ${what}.`,
      );
    }
    entry.index = i;
    end = entry.end;
  });
  return { metadata: metadata ?? new Metadata(), entries, byName, byteLength: end };
}

/** Reads strings by name, or null, which stands for none. */
function metadataFrom(reader: JsonReader): Metadata {
  const metadata = new Metadata();
  const refuse = (name: string): never => {
    throw new CheckpointError(
      `${METADATA}: got ${cut(reader.raw())} for ${show(name)}, expected ${name === METADATA ? "an object of strings" : "a string"}.`,
    );
  };
  const next = reader.peek();
  if (next === "{") {
    reader.anyMembers((name) => {
      if (reader.peek() !== '"') refuse(name);
      return metadata.add(name, reader.string());
    });
  } else if (next !== "n" || reader.value() !== null) {
    refuse(METADATA);
  }
  return metadata;
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
