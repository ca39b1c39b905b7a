/**
 * Vectors of the element type. `Real` is `f32` or `f64`: each release build names it (`use` in asconfig.json), so that all
 * of this is compiled once for either. Nothing here may count on four bytes or four lanes: `sizeof<Real>()` says how many.
 *
 * A turn of a loop takes a pair, two vectors side by side, or one element, with zeros in the lanes beside it. The second
 * vector costs nothing where an engine works on one at a time, and an engine that can joins each pair to one vector of
 * twice the width. V8 does so for two stores at one base whose offsets are 16 apart, where the operations that lead to them
 * are the same and no store stands between the loads. So all loads of a turn come first, the arithmetic of both vectors
 * runs line by line, and all stores come last.
 */
export class Pair {}
export type One = f32;
/** A pair whose second vector is `apart` bytes behind the first, in the other half of a plane. */
export type Halves = i32;

/** Elements of a pair: eight of float32, four of float64. */
export const PAIR: u32 = 32 / sizeof<Real>();

/** Elements of a turn that follow each other: a pair of halves has as many again, `apart`. */
export function elementsOf<Lanes>(): u32 {
  if (isFloat<Lanes>()) return 1;
  return isReference<Lanes>() ? PAIR : PAIR / 2;
}

export function load<Lanes>(ptr: usize): v128 {
  if (!isFloat<Lanes>()) return v128.load(ptr);
  return sizeof<Real>() === 4 ? v128.load32_zero(ptr) : v128.load64_zero(ptr);
}

/** The second vector of a turn. One element has none, and the compiler drops whatever is computed from it. */
export function loadNext<Lanes>(ptr: usize, apart: usize = 0): v128 {
  if (isInteger<Lanes>()) return v128.load(ptr + apart);
  return isReference<Lanes>() ? v128.load(ptr, 16) : v128.splat<Real>(0);
}

/** Stores the two vectors of a turn, or its one element. */
export function store<Lanes>(ptr: usize, first: v128, second: v128, apart: usize = 0): void {
  if (isFloat<Lanes>()) {
    v128.store_lane<Real>(ptr, first, 0);
  } else {
    v128.store(ptr, first);
    if (isInteger<Lanes>()) v128.store(ptr + apart, second);
    else v128.store(ptr, second, 16);
  }
}

/**
 * Four scalars as two arguments, `lower` and `upper`. A vector has room for all four of float32, and the compiler drops the
 * upper one there. Two to a vector in either type were rejected: in float32, the general loop took 2 to 3 % longer, and 220 bytes more.
 */
export function lower(a: Real, b: Real, c: Real, d: Real): v128 {
  const ab = v128.replace_lane<Real>(v128.splat<Real>(a), 1, b);
  return sizeof<Real>() === 8 ? ab : f32x4.replace_lane(f32x4.replace_lane(ab, 2, <f32>c), 3, <f32>d);
}

export function upper(c: Real, d: Real): v128 {
  return sizeof<Real>() === 8 ? v128.replace_lane<Real>(v128.splat<Real>(c), 1, d) : v128.splat<Real>(0);
}

/** The first of four scalars in every lane; below, the others. */
export function splat0(lower: v128, _upper: v128): v128 {
  return v128.splat<Real>(v128.extract_lane<Real>(lower, 0));
}

export function splat1(lower: v128, _upper: v128): v128 {
  return v128.splat<Real>(v128.extract_lane<Real>(lower, 1));
}

export function splat2(lower: v128, upper: v128): v128 {
  if (sizeof<Real>() === 8) return v128.splat<Real>(v128.extract_lane<Real>(upper, 0));
  return f32x4.splat(f32x4.extract_lane(lower, 2));
}

export function splat3(lower: v128, upper: v128): v128 {
  if (sizeof<Real>() === 8) return v128.splat<Real>(v128.extract_lane<Real>(upper, 1));
  return f32x4.splat(f32x4.extract_lane(lower, 3));
}
