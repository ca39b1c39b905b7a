/**
 * Initial parameters and gradients of the golden vectors: the same bits as `inputs.py`, which says what they are like.
 * Floats are put together from integer draws, so no `Math.pow` of some engine takes part.
 */

export const ELEMENTS = 1000;
export const STEPS = 120;
export const LONG_STEPS = 2000;
/** Neither is a multiple of a vector's width: bodies and tails both take part. */
export const TENSOR_SIZES = [601, 399] as const;
export const SEED = 20260823;
/** Of the kinds that are not ordinary: as many elements, from the first, are special. */
export const SPECIAL_ELEMENTS = 100;

export type Kind = "ordinary" | "constant" | "huge" | "long";

export function stepsOf(kind: Kind): number {
  return kind === "long" ? LONG_STEPS : STEPS;
}

// Streams: 0 the parameters, 1 what is fixed for an element, then two for every step.
const PARAMETERS = 0;
const TRAITS = 1;
const FIRST_STEP = 2;

const bitsOfFloat = new Uint32Array(1);
const floatOfBits = new Float32Array(bitsOfFloat.buffer);

/** mulberry32's output number stream·ELEMENTS + element, as a uint32. */
export function draw(stream: number, element: number): number {
  const state = (SEED + Math.imul(stream * ELEMENTS + element + 1, 0x6d2b79f5)) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

/** The float32 (−1)^sign · 1.mantissa · 2^exponent. */
function float(sign: number, exponent: number, mantissa: number): number {
  bitsOfFloat[0] = ((sign & 1) << 31) | ((exponent + 127) << 23) | (mantissa & 0x7fffff);
  return floatOfBits[0]!;
}

/** Initial values of all elements, both signs, magnitudes 2^-4 .. 2. */
export function parameters(): Float32Array {
  return Float32Array.from({ length: ELEMENTS }, (_, element) => {
    const bits = draw(PARAMETERS, element);
    return float(bits >>> 31, (((bits >>> 23) % 256) % 5) - 4, bits);
  });
}

const made = new Map<string, Float32Array>();

/** Gradients of all elements at a step counted from 0: made once, and the same array whenever they are asked for. */
export function gradients(kind: Kind, step: number): Float32Array {
  const name = `${kind} ${step}`;
  const row =
    made.get(name) ?? Float32Array.from({ length: ELEMENTS }, (_, element) => gradient(kind, step, element));
  made.set(name, row);
  return row;
}

function gradient(kind: Kind, step: number, element: number): number {
  const traits = draw(TRAITS, element);
  if (element < SPECIAL_ELEMENTS) {
    if (kind === "constant") return float(traits >>> 31, ((traits >>> 8) % 8) + 6, traits);
    if (kind === "huge" && step === 0) return float(traits >>> 31, ((traits >>> 8) % 4) + 66, traits);
  }
  const bits = draw(FIRST_STEP + 2 * step, element);
  const choice = draw(FIRST_STEP + 2 * step + 1, element);
  const zero =
    (choice & 0xff) < 26 ||
    (element % 16 === 5 && step >= 30 && step < 90) ||
    (element % 16 === 11 && step < 40) ||
    element % 100 === 50;
  if (zero) return 0;
  const exponent = ((traits >>> 8) % 31) - 19 + ((choice >>> 8) % 5) - 2;
  return float(element % 8 === 3 ? element >>> 3 : bits >>> 31, exponent, bits);
}

/** Everything a run is fed: what the digests in the manifest are taken of. */
export function inputBytes(kind: Kind): Uint8Array {
  const steps = stepsOf(kind);
  const all = new Float32Array((1 + steps) * ELEMENTS);
  all.set(parameters());
  for (let step = 0; step < steps; step++) all.set(gradients(kind, step), (1 + step) * ELEMENTS);
  return new Uint8Array(all.buffer);
}
