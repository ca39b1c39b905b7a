/** The bytes that each entry takes at most, minified and gzipped: for the tests, the bench's goals and the README. */
export const WEIGHT_LIMITS = {
  "rmsprop-wasm": 14_500,
  "rmsprop-wasm/core": 6_000,
  "rmsprop-wasm/js": 11_750,
  "rmsprop-wasm/tfjs": 11_000,
  /** Its weight beside the main entry, which it takes its optimizers from. */
  "rmsprop-wasm/checkpoint": 7_000,
} as const;
