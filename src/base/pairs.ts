/**
 * Arithmetic with twice the digits of a double, for factors of elements that are doubles themselves. A product of many numbers,
 * each rounded, is off by more than its last digit: too little to see in a float32, but rows that had missed 100 steps were 20 ulp off.
 *
 * A number is the sum of two doubles: the nearest one, and a second that holds what the first has no room for. Sums and products
 * in the ways of Dekker and Knuth keep 104 digits, as long as nothing overflows or is below 2^-960.
 */
import type { Arithmetic } from "./arithmetic.ts";

type Pair = readonly [nearest: number, rest: number];

export const PAIRS: Arithmetic<Pair> = {
  from: (value) => [value, 0],
  toDouble: (pair) => pair[0],
  combine,
  power,
};

function combine(a: Pair, x: number, b: Pair, y: number): Pair {
  const ax = a[0] * x;
  const by = b[0] * y;
  const sum = ax + by;
  const ofSum = sum - ax;
  const lost = ax - (sum - ofSum) + (by - ofSum);
  const rest = lostIn(ax, a[0], x) + lostIn(by, b[0], y) + (a[1] * x + b[1] * y);
  return pairOf(sum, lost + rest);
}

/**
 * Squares the base again and again, and rounds once: to another double than the nearest only if the power is nearly in the
 * middle between two, or below 2^-960. `assembly/power.ts` has the twin, operation by operation.
 */
function power(base: number, exponent: number): number {
  let result: Pair = [1, 0];
  let square: Pair = [base, 0];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = times(result, square);
    square = times(square, square);
  }
  return result[0];
}

function times(a: Pair, b: Pair): Pair {
  const product = a[0] * b[0];
  return pairOf(product, lostIn(product, a[0], b[0]) + (a[0] * b[1] + a[1] * b[0]));
}

function pairOf(value: number, more: number): Pair {
  const nearest = value + more;
  return [nearest, more - (nearest - value)];
}

/** The part of `a * b` that the rounding to `product` took away. */
function lostIn(product: number, a: number, b: number): number {
  const a1 = upperHalf(a);
  const b1 = upperHalf(b);
  const a2 = a - a1;
  const b2 = b - b1;
  return a1 * b1 - product + a1 * b2 + a2 * b1 + a2 * b2;
}

/** A number's first 26 digits: the product of two such numbers is exact. */
function upperHalf(x: number): number {
  const scaled = x * (2 ** 27 + 1);
  return scaled - (scaled - x);
}
