/** The bytes that each entry takes at most, minified and gzipped: for the tests, the bench's goals and the README. */
export const WEIGHT_LIMITS = {
  "rmsprop-wasm": 27_500,
  "rmsprop-wasm/core": 8_750,
  "rmsprop-wasm/f64": 27_500,
  "rmsprop-wasm/js": 22_250,
  "rmsprop-wasm/tfjs": 17_500,
  /** Beside the main entry, which it takes its optimizers from. */
  "rmsprop-wasm/checkpoint": 12_600,
} as const;
