/** Files that arrive in pieces of any sizes. */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";

/** Bytes in a buffer that no other thread shares, as `Blob` and `fetch` take them. Spelt so that old compilers know it. */
export type Bytes = ReturnType<Uint8Array["slice"]>;

/** A stream by its oldest interface, the only one that Safari's have up to version 26. */
export interface ReadableChunks {
  /** Gives the stream's only reader. */
  getReader(): ChunkReader;
}

/** The reader of such a stream. */
export interface ChunkReader {
  /** Gives the next piece, or `done` after the last one. */
  read(): Promise<ReadResult>;
  /** Tells the source that no more will be read. */
  cancel(reason?: unknown): Promise<void>;
  /** Lets others read the stream. */
  releaseLock(): void;
}

/** One piece of a stream. */
export interface ReadResult {
  /** Whether there are no more pieces. */
  done: boolean;
  /** The piece. */
  value?: Uint8Array | undefined;
}

/** Pieces of a file: streams, generators, lists. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ReadableChunks;

const WANTED = "a stream, as response.body, or what `for await` takes, of Uint8Arrays";

/** Gives the pieces as a generator, and ends their source on the first error or when the caller stops early. */
export async function* piecesOf(chunks: Chunks, wanted = WANTED): AsyncGenerator<Uint8Array, void> {
  const source = Object(chunks) as Partial<AsyncIterable<Uint8Array> & Iterable<Uint8Array> & ReadableChunks>;
  if (source[Symbol.asyncIterator] || source[Symbol.iterator]) {
    for await (const piece of source as AsyncIterable<Uint8Array>) yield checkPiece(piece);
    return;
  }
  if (typeof source.getReader !== "function") {
    throw new CheckpointError(`The file: got ${show(chunks)}, expected ${wanted}.`);
  }
  const reader = source.getReader();
  let isComplete = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isComplete = done;
      if (done) return;
      yield checkPiece(value);
    }
  } finally {
    // The error that ended the reading counts, not what becomes of the cancellation.
    if (!isComplete) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

function checkPiece(piece: unknown): Uint8Array {
  if (ArrayBuffer.isView(piece)) return piece as Uint8Array;
  throw new CheckpointError(`A chunk of the file: got ${show(piece)}, expected a Uint8Array.`);
}

/** The most that `Intake` allocates before any byte has come. */
const FIRST_BYTES = 2 ** 16;

/** Copies bytes that lie in a memory: placing an optimizer there grows it, which empties all views. */
export function apart(bytes: Uint8Array, memory: WebAssembly.Memory | undefined): Uint8Array {
  return bytes.buffer === memory?.buffer ? bytes.slice() : bytes;
}

/**
 * Runs a reader of a whole file on pieces of it. The reader is a generator: it yields how many bytes it wants next, and
 * gets them, or fewer where the file ends. They are its own until it yields again.
 *
 * All of a piece is copied or used before the next is asked for, since sources may fill one buffer again and again. Memory
 * is bounded by the bytes that have come, not by what is wanted or by the number of pieces: a list of the pieces took up to
 * 300 bytes for a piece of one.
 *
 * @param memory The memory that the reader may grow.
 */
export async function feed<Result>(
  reader: Generator<number, Result, Uint8Array>,
  chunks: Chunks,
  memory: WebAssembly.Memory | undefined,
): Promise<Result> {
  let step = reader.next();
  let buffer = new Uint8Array(FIRST_BYTES);
  let filled = 0;
  try {
    for await (const piece of piecesOf(chunks)) {
      let rest = apart(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength), memory);
      while (!step.done && rest.length > 0) {
        const taken = rest.subarray(0, step.value - filled);
        rest = rest.subarray(taken.length);
        buffer = grown(buffer, filled, filled + taken.length);
        buffer.set(taken, filled);
        filled += taken.length;
        if (filled < step.value) continue;
        step = reader.next(buffer.subarray(0, filled));
        filled = 0;
      }
    }
    while (!step.done) {
      step = reader.next(buffer.subarray(0, filled));
      filled = 0;
    }
    return step.value;
  } finally {
    reader.return(undefined as Result);
  }
}

function grown(buffer: Uint8Array<ArrayBuffer>, filled: number, wanted: number): Uint8Array<ArrayBuffer> {
  if (wanted <= buffer.length) return buffer;
  const larger = new Uint8Array(Math.max(wanted, 2 * buffer.length));
  larger.set(buffer.subarray(0, filled));
  return larger;
}
