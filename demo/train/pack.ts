/**
 * The digits as a file of the page: 16 levels of grey, two pixels in a byte, and then gzip, which packs the white paper
 * around them. That is half of what 256 levels take, and nobody sees the difference.
 *
 *     train count, test count (16 bits each, little-endian) │ labels, a byte each │ images, 392 bytes each
 */
import { type DataSet, PIXELS } from "../../examples/mnist/digits.ts";

export interface Digits {
  readonly train: DataSet;
  readonly test: DataSet;
}

const HEADER_BYTES = 4;
const IMAGE_BYTES = PIXELS / 2;
/** The factor from a level of grey to the byte of a full image: 15 · 17 = 255. */
const LEVEL = 17;

/** The first so many images of each. */
export function packDigits({ train, test }: Digits, counts: { train: number; test: number }): Uint8Array {
  const total = counts.train + counts.test;
  const packed = new Uint8Array(HEADER_BYTES + total + total * IMAGE_BYTES);
  new DataView(packed.buffer).setUint16(0, counts.train, true);
  new DataView(packed.buffer).setUint16(2, counts.test, true);
  let label = HEADER_BYTES;
  let byte = HEADER_BYTES + total;
  for (const [{ images, labels }, count] of [
    [train, counts.train],
    [test, counts.test],
  ] as const) {
    packed.set(labels.subarray(0, count), label);
    label += count;
    for (let i = 0; i < count * PIXELS; i += 2) {
      packed[byte++] = (Math.round(images[i]! / LEVEL) << 4) | Math.round(images[i + 1]! / LEVEL);
    }
  }
  return packed;
}

/** @throws Error for bytes that `packDigits` hasn't made. */
export function unpackDigits(packed: Uint8Array): Digits {
  if (packed.length < HEADER_BYTES) throw new Error(`The digits are cut short: ${packed.length} bytes.`);
  const header = new DataView(packed.buffer, packed.byteOffset);
  const counts = { train: header.getUint16(0, true), test: header.getUint16(2, true) };
  const total = counts.train + counts.test;
  const expected = HEADER_BYTES + total + total * IMAGE_BYTES;
  if (packed.length !== expected) {
    throw new Error(`The digits are cut short: ${packed.length} bytes, where ${expected} are promised.`);
  }
  const setOf = (first: number, count: number): DataSet => {
    const images = new Uint8Array(count * PIXELS);
    const start = HEADER_BYTES + total + first * IMAGE_BYTES;
    for (let i = 0; i < count * IMAGE_BYTES; i++) {
      const pair = packed[start + i]!;
      images[2 * i] = (pair >> 4) * LEVEL;
      images[2 * i + 1] = (pair & 15) * LEVEL;
    }
    return { images, labels: packed.slice(HEADER_BYTES + first, HEADER_BYTES + first + count) };
  };
  return { train: setOf(0, counts.train), test: setOf(counts.train, counts.test) };
}
