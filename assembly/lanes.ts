/**
 * The number of elements that a turn of a loop takes: eight, as two vectors side by side, or one, with zeros in the lanes beside
 * it. The second vector costs nothing where an engine works on four elements at a time, and an engine that can joins
 * each pair to one vector of twice the width. V8 does so for two stores at one base whose offsets are 16 apart, where
 * the operations that lead to them are the same and no store stands between the loads. So all loads of a turn come
 * first, the arithmetic of both vectors runs line by line, and all stores come last.
 */
export class Eight {}
export type One = f32;

export function elementsOf<Lanes>(): u32 {
  return isReference<Lanes>() ? 8 : 1;
}

export function load<Lanes>(ptr: usize): v128 {
  return isReference<Lanes>() ? v128.load(ptr) : v128.load32_zero(ptr);
}

/** The second vector of a turn. One element has none, and the compiler drops whatever is computed from it. */
export function loadNext<Lanes>(ptr: usize): v128 {
  return isReference<Lanes>() ? v128.load(ptr, 16) : f32x4.splat(0);
}

/** Stores the two vectors of a turn, or its one element. */
export function store<Lanes>(ptr: usize, first: v128, second: v128): void {
  if (isReference<Lanes>()) {
    v128.store(ptr, first);
    v128.store(ptr, second, 16);
  } else {
    v128.store_lane<f32>(ptr, first, 0);
  }
}
