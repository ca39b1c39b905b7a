/** The bytes that each entry takes at most, minified and gzipped: for the tests, the bench's goals and the README. */
export const WEIGHT_LIMITS = {
  "rmsprop-wasm": 31_700,
  "rmsprop-wasm/core": 10_750,
  "rmsprop-wasm/f64": 32_200,
  "rmsprop-wasm/js": 25_200,
  "rmsprop-wasm/tfjs": 14_950,
  /** Beside the main entry, which it takes its optimizers from. */
  "rmsprop-wasm/checkpoint": 13_850,
} as const;
