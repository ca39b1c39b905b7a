/** Safetensors files written by the book, apart from the code that is tested. */

export interface Tensor {
  dtype: string;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** Its tensors stand one behind the other, as they come. */
export function fileOf(
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Buffer {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const begin = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const header = Object.fromEntries([...(metadata ? [["__metadata__", metadata]] : []), ...entries]);
  return withHeader(JSON.stringify(header), Buffer.concat(Object.values(tensors).map(({ bytes }) => bytes)));
}

export function withHeader(json: string | Uint8Array, data: Uint8Array): Buffer {
  const header = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

/** The header of a file as text, and what follows it. */
export function split(file: Uint8Array): { json: string; data: Buffer } {
  const bytes = Buffer.from(file);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  return { json: bytes.toString("utf8", 8, end), data: bytes.subarray(end) };
}

/** A tensor of one dimension, or of the shape that is said. */
export function tensor(
  dtype: string,
  elements: ArrayBufferView & { length: number },
  shape?: number[],
): Tensor {
  const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  return { dtype, shape: shape ?? [elements.length], bytes };
}

/** A tensor of float32. */
export const f32 = (...values: number[]) => tensor("F32", Float32Array.from(values));

/** A count of steps, as PyTorch keeps one with each parameter. */
export const step = (count: number) => tensor("F32", Float32Array.of(count), []);
