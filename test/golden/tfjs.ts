/** The options that tf.js has no name for: the float64 run has no defaults. */
import type { GoldenOptions } from "./vectors.ts";

/** tf.js's mathematics, for `runExactly`. */
export function tfjsMathematics(
  options: Pick<GoldenOptions, "lr" | "alpha" | "eps" | "momentum" | "centered">,
): GoldenOptions {
  return {
    ...options,
    epsInsideSqrt: true,
    lrInMomentum: true,
    weightDecay: 0,
    decoupledWeightDecay: false,
    nesterov: false,
    biasCorrection: false,
    initialSquareAvg: 0,
    clipValue: null,
    clipNorm: null,
    globalClipNorm: null,
    maximize: false,
    ema: null,
    scheduleFree: null,
  };
}
