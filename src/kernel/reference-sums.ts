/** The sums of the JavaScript backend, added up in the order of the vectors in `assembly/gradient.ts` and `assembly/learned.ts`. */
import { type FloatArray, type Real, shiftOf } from "../base/real.ts";
import { BLOCK } from "./contract.ts";

export function sumOfSquares(heap: FloatArray, grad: number, count: number, scale: number): number {
  let sum = 0;
  for (let start = 0; start < count; start += BLOCK) {
    sum += sumOfBlock(heap.subarray(grad + start, grad + Math.min(start + BLOCK, count)), scale);
  }
  return sum;
}

function sumOfBlock(block: FloatArray, scale: number): number {
  const partial = new Float64Array(8);
  const whole = block.length - (block.length % 8);
  const square = (i: number) => {
    const g = block[i]! * scale;
    return g * g;
  };
  for (let i = 0; i < whole; i++) partial[i % 8]! += square(i);
  const [s0, s1, s2, s3, s4, s5, s6, s7] = partial as unknown as number[];
  let sum = s0! + s2! + (s4! + s6!) + (s1! + s3! + (s5! + s7!));
  for (let i = whole; i < block.length; i++) sum += square(i);
  return sum;
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Turns of the loop whose products are added up in the element type. */
const TURNS = 8;

export function innerProduct(
  heap: FloatArray,
  gradPtr: number,
  movedPtr: number,
  count: number,
  gradScale: number,
  clipValue: number,
  real: Real,
): number {
  const { round, bytes } = real;
  const [grad, moved] = [gradPtr >>> shiftOf(real), movedPtr >>> shiftOf(real)];
  const isClipped = clipValue < Infinity;
  const product = (i: number) => {
    let g = heap[grad + i]!;
    if (isClipped) {
      g = round(g * gradScale);
      if (g < -clipValue) g = -clipValue;
      if (g > clipValue) g = clipValue;
    }
    return round(g * heap[moved + i]!);
  };
  const lanesOfTurn = 64 / bytes;
  let sum = 0;
  for (let start = count - 1 - ((count - 1) % BLOCK); start >= 0; start -= BLOCK) {
    const end = Math.min(start + BLOCK, count);
    const wholeEnd = end - ((end - start) % lanesOfTurn);
    const sums = [0, 0];
    for (let from = start; from < wholeEnd; from += TURNS * lanesOfTurn) {
      const lanes = new Float64Array(lanesOfTurn);
      for (let i = from; i < Math.min(from + TURNS * lanesOfTurn, wholeEnd); i++) {
        const lane = (i - from) % lanesOfTurn;
        lanes[lane] = round(lanes[lane]! + product(i));
      }
      const [a, b, c, d] = [0, 1, 2, 3].map((i) => lanes.subarray((i * lanesOfTurn) / 4)) as Four;
      const vector = d.map((last, i) => round(round(a[i]! + b[i]!) + round(c[i]! + last)));
      for (const i of [0, 1]) sums[i]! += bytes === 8 ? vector[i]! : vector[i]! + vector[i + 2]!;
    }
    let block = sums[0]! + sums[1]!;
    for (let i = wholeEnd; i < end; i++) block += product(i);
    sum += isClipped ? block : gradScale * block;
  }
  return sum;
}
