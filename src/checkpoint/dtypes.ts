/** The types of elements that files may have, and how they become float32. */

export interface Dtype {
  /** The name in safetensors files. */
  readonly name: string;
  /** The bytes of one element. */
  readonly byteLength: number;
  read(view: DataView, byteOffset: number): number;
}

const F32: Dtype = { name: "F32", byteLength: 4, read: (view, at) => view.getFloat32(at, true) };

export const DTYPES: readonly Dtype[] = [
  F32,
  { name: "F64", byteLength: 8, read: (view, at) => view.getFloat64(at, true) },
  { name: "F16", byteLength: 2, read: (view, at) => ofBits(view.getUint16(at, true), 10) },
  { name: "BF16", byteLength: 2, read: (view, at) => ofBits(view.getUint16(at, true), 7) },
];

/** Writes elements into `target` from the bytes in which a file has them, each rounded to float32 once. */
export function decode(dtype: Dtype, bytes: Uint8Array, target: Float32Array): void {
  if (dtype === F32) {
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
    return;
  }
  const view = viewOf(bytes);
  for (let i = 0; i < target.length; i++) target[i] = dtype.read(view, i * dtype.byteLength);
}

/** The elements that bytes hold: a view of them where they are float32 and aligned, else new. */
export function valuesOf(dtype: Dtype, bytes: Uint8Array): Float32Array {
  const count = bytes.length / dtype.byteLength;
  if (dtype === F32 && bytes.byteOffset % 4 === 0) {
    return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  }
  const values = new Float32Array(count);
  decode(dtype, bytes, values);
  return values;
}

/** The first element that bytes hold, in double. */
export function firstValue(dtype: Dtype, bytes: Uint8Array): number {
  return dtype.read(viewOf(bytes), 0);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A float in 16 bits: a sign, then the exponent, then so many bits of mantissa. */
function ofBits(bits: number, mantissaBits: number): number {
  const one = 2 ** mantissaBits;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const mantissa = (bits & (one - 1)) / one;
  const bias = 2 ** (14 - mantissaBits) - 1;
  if (exponent === 2 * bias + 1) return mantissa ? NaN : sign * Infinity;
  return exponent ? sign * (1 + mantissa) * 2 ** (exponent - bias) : sign * mantissa * 2 ** (1 - bias);
}
