/**
 * By tf.js's own operations, for backends whose values lie where no kernel of ours reaches, such as a graphics card.
 * The mathematics of `reference.ts`, a tensor at a time: the same bits where each operation rounds as IEEE float32.
 */
import {
  abs,
  add,
  clipByValue,
  div,
  less,
  minimum,
  mul,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tidy,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { LARGEST_FINITE, SMALLEST_NORMAL } from "../base/float32.ts";
import {
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSHED,
  MOMENTUM,
  movesByDifference,
  NESTEROV,
  SHAPED,
} from "../kernel/contract.ts";
import type { Way } from "./updater.ts";

export const operations: Way = {
  /** Reads one number back, for which a graphics card makes the program wait. */
  sumOfSquares(gradient) {
    const [total] = tidy(() => sum(square(gradient)).dataSync()) as Float32Array;
    if (Number.isFinite(total)) return total!;
    // The squares of finite elements may not be: then in double, as the kernels sum.
    return (gradient.dataSync() as Float32Array).reduce((sum, value) => sum + value * value, 0);
  },

  update({ variable, state }, gradient, scalars) {
    const { variant, alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
    const { gradScale, clipValue, decoupledDecay, weightDecay, correction } = scalars;
    const uses = (bit: number) => (variant & bit) !== 0;
    tidy(() => {
      let g = gradient;
      if (uses(SHAPED | DECAYED)) g = mul(g, gradScale);
      if (uses(SHAPED)) {
        if (clipValue !== Infinity) g = clipByValue(g, -clipValue, clipValue);
      }
      if (uses(DECAYED)) g = add(g, mul(weightDecay, variable));

      const byDifference = movesByDifference(scalars);
      const averageOf = (before: Tensor, next: () => Tensor, weighted: () => Tensor) =>
        byDifference
          ? add(before, mul(oneMinusAlpha, sub(next(), before)))
          : add(mul(alpha, before), weighted());
      const flushed = (tensor: Tensor) =>
        uses(FLUSHED) ? zeroWhere(less(abs(tensor), SMALLEST_NORMAL), tensor) : tensor;
      const squared = () => mul(mul(oneMinusAlpha, g), g);
      let v: Tensor = minimum(
        averageOf(state.squareAvg, () => square(g), squared),
        LARGEST_FINITE,
      );
      state.squareAvg.assign(flushed(v));
      if (uses(CORRECTED)) v = div(v, correction);

      if (uses(CENTERED)) {
        let a = averageOf(
          state.gradAvg!,
          () => g,
          () => mul(oneMinusAlpha, g),
        );
        state.gradAvg!.assign(flushed(a));
        if (uses(CORRECTED)) a = div(a, correction);
        const variance = sub(v, square(a));
        v = zeroWhere(less(variance, 0), variance);
      }

      const d = add(sqrt(add(v, epsInside)), eps);
      let u: Tensor = div(mul(updateScale, g), d);
      if (uses(MOMENTUM)) {
        let m: Tensor = add(mul(momentum, state.momentumBuffer!), u);
        state.momentumBuffer!.assign(flushed(m));
        if (uses(NESTEROV)) m = add(u, mul(momentum, m));
        u = mul(bufferScale, m);
      }
      if (uses(DECOUPLED)) u = add(u, mul(decoupledDecay, variable));
      variable.assign(flushed(sub(variable, u)));
    });
  },
};

function zeroWhere(condition: Tensor, tensor: Tensor): Tensor {
  return where(condition, zerosLike(tensor), tensor);
}
