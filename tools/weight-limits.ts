/** The bytes that each entry takes at most, minified and gzipped: for the tests, the bench's goals and the README. */
export const WEIGHT_LIMITS = {
  "rmsprop-wasm": 18_000,
  "rmsprop-wasm/core": 6_500,
  "rmsprop-wasm/js": 15_000,
  "rmsprop-wasm/tfjs": 16_250,
  /** Beside the main entry, which it takes its optimizers from. */
  "rmsprop-wasm/checkpoint": 9_750,
} as const;
