/**
 * Powers of doubles with whole exponents, by squaring: the twins of those in `src/base/power.ts` and `src/base/pairs.ts`,
 * operation by operation.
 */

/**
 * `base ** exponent`, for a base from 0 to 1, as the element type needs it. No processor foresees the bits of an exponent,
 * so this takes 20 ns in float32, and a look-up in a table 3.
 */
export function power(base: f64, exponent: u32): f64 {
  if (sizeof<Real>() === 8) return exactPower(base, exponent);
  let result: f64 = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

function exactPower(base: f64, exponent: u32): f64 {
  let result: f64 = 1;
  let ofResult: f64 = 0;
  let ofBase: f64 = 0;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) {
      const product = result * base;
      const lost = lostIn(product, result, base) + (result * ofBase + ofResult * base);
      result = product + lost;
      ofResult = lost - (result - product);
    }
    const product = base * base;
    const lost = lostIn(product, base, base) + 2 * (base * ofBase);
    base = product + lost;
    ofBase = lost - (base - product);
  }
  return result;
}

function lostIn(product: f64, a: f64, b: f64): f64 {
  const a1 = upperHalf(a);
  const b1 = upperHalf(b);
  const a2 = a - a1;
  const b2 = b - b1;
  return a1 * b1 - product + a1 * b2 + a2 * b1 + a2 * b2;
}

function upperHalf(x: f64): f64 {
  const scaled = x * 134217729; // 2^27 + 1
  return scaled - (scaled - x);
}
