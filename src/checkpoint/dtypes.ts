/** The element types of safetensors files, and how elements become an optimizer's. */
import type { FloatArray } from "../base/real.ts";

/** One element type. */
export interface Dtype {
  /** The name in safetensors files. */
  readonly name: string;
  /** The bits of one element: 4 and 6 are possible, too. */
  readonly bits: number;
  /** Reads one element as a number, where a count of steps may be of this type. */
  readonly read?: (view: DataView, byteOffset: number) => number;
  /** Whether parameters and state may be of this type. */
  readonly isFloat?: true;
}

const F32: Dtype = { name: "F32", bits: 32, read: (view, at) => view.getFloat32(at, true), isFloat: true };

const F64: Dtype = { name: "F64", bits: 64, read: (view, at) => view.getFloat64(at, true), isFloat: true };

const READABLE: readonly Dtype[] = [
  F32,
  F64,
  { name: "F16", bits: 16, read: (view, at) => ofBits(view.getUint16(at, true), 10), isFloat: true },
  { name: "BF16", bits: 16, read: (view, at) => ofBits(view.getUint16(at, true), 7), isFloat: true },
  { name: "I8", bits: 8, read: (view, at) => view.getInt8(at) },
  { name: "U8", bits: 8, read: (view, at) => view.getUint8(at) },
  { name: "I16", bits: 16, read: (view, at) => view.getInt16(at, true) },
  { name: "U16", bits: 16, read: (view, at) => view.getUint16(at, true) },
  { name: "I32", bits: 32, read: (view, at) => view.getInt32(at, true) },
  { name: "U32", bits: 32, read: (view, at) => view.getUint32(at, true) },
  { name: "I64", bits: 64, read: (view, at) => Number(view.getBigInt64(at, true)) },
  { name: "U64", bits: 64, read: (view, at) => Number(view.getBigUint64(at, true)) },
];

/** All types of the format's own library (0.8.0). Tensors of those that aren't read are carried along as they are. */
export const DTYPES: ReadonlyMap<string, Dtype> = /* @__PURE__ */ new Map(
  [
    ...READABLE,
    ...["BOOL", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E5M2FNUZ", "F8_E4M3FNUZ"].map((name) => ({
      name,
      bits: 8,
    })),
    { name: "C64", bits: 64 },
    { name: "F4", bits: 4 },
    { name: "F6_E2M3", bits: 6 },
    { name: "F6_E3M2", bits: 6 },
  ].map((dtype) => [dtype.name, dtype]),
);

/** The type in files of an array. */
export function dtypeOf(values: FloatArray): string {
  return (values.BYTES_PER_ELEMENT === 8 ? F64 : F32).name;
}

/** Whether elements of a file stand in memory as they are, as floats of so many bytes. */
export function areFloatsOf({ isFloat, bits }: Dtype, bytes: number): boolean {
  return isFloat === true && bits === 8 * bytes;
}

/**
 * Writes elements into `target` from a file's bytes, each rounded to the target's type once.
 *
 * @returns the first double that became an infinity by it, or undefined.
 */
export function decode(dtype: Dtype, bytes: Uint8Array, target: FloatArray): number | undefined {
  if (areFloatsOf(dtype, target.BYTES_PER_ELEMENT)) {
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
    return undefined;
  }
  const view = viewOf(bytes);
  let tooLarge: number | undefined;
  for (let i = 0; i < target.length; i++) {
    const value = dtype.read!(view, (i * dtype.bits) / 8);
    target[i] = value;
    if (Math.abs(target[i]!) === Infinity && Number.isFinite(value)) tooLarge ??= value;
  }
  return tooLarge;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A float of 16 bits: a sign, then the exponent, then `mantissaBits` of mantissa. */
function ofBits(bits: number, mantissaBits: number): number {
  const one = 2 ** mantissaBits;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const mantissa = (bits & (one - 1)) / one;
  const bias = 2 ** (14 - mantissaBits) - 1;
  if (exponent === 2 * bias + 1) return mantissa ? NaN : sign * Infinity;
  return exponent ? sign * (1 + mantissa) * 2 ** (exponent - bias) : sign * mantissa * 2 ** (1 - bias);
}
