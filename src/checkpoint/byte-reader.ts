/** Takes as many bytes as are wanted from chunks of any sizes. */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";

/** Bytes in a buffer that no other thread shares, as `Blob` and `fetch` take them. Spelt so that old compilers know it. */
export type Bytes = ReturnType<Uint8Array["slice"]>;

/** Pieces of a file, as `for await` takes them: streams, generators, lists. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** @internal */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  /** The rest of the last chunk, not taken yet. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes taken. */
  #position = 0;

  constructor(chunks: Chunks) {
    const source = Object(chunks);
    const open = source[Symbol.asyncIterator] ?? source[Symbol.iterator];
    if (typeof open !== "function") {
      throw new CheckpointError(
        `The file: got ${show(chunks)}, expected what \`for await\` takes, of Uint8Arrays.`,
      );
    }
    this.#chunks = open.call(source);
  }

  /** How many bytes were taken. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes: fewer only where there are no more. */
  async read(count: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let missing = count;
    while (missing > 0 && (this.#rest.length > 0 || (await this.#advance()))) {
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      pieces.push(piece);
      missing -= piece.length;
    }
    this.#position += count - missing;
    if (pieces.length === 1) return pieces[0]!;
    const all = new Uint8Array(count - missing);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** Says that no more is wanted, so that a file is closed. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #advance(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    if (!ArrayBuffer.isView(value)) {
      throw new CheckpointError(`A chunk of the file: got ${show(value)}, expected a Uint8Array.`);
    }
    this.#rest = value;
    return true;
  }
}
