/** The bytes that each entry takes at most, minified and gzipped: for the tests, the bench's goals and the README. */
export const WEIGHT_LIMITS = {
  "rmsprop-wasm": 32_000,
  "rmsprop-wasm/core": 10_960,
  "rmsprop-wasm/f64": 32_460,
  "rmsprop-wasm/js": 25_440,
  "rmsprop-wasm/tfjs": 15_310,
  /** Beside the main entry, which it takes its optimizers from. */
  "rmsprop-wasm/checkpoint": 14_370,
} as const;
