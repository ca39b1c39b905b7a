/**
 * Updates by tf.js's own operations, for backends whose values no kernel of this package can reach. The mathematics of
 * `reference.ts` on whole tensors: the same bits wherever each operation rounds as IEEE float32.
 */
import {
  abs,
  add,
  addN,
  clipByValue,
  div,
  greater,
  less,
  lessEqual,
  logicalAnd,
  max,
  maximum,
  minimum,
  mul,
  onesLike,
  reshape,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tidy,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import {
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSHED,
  MOMENTUM,
  movesByDifference,
  NESTEROV,
  SCHEDULE_FREE,
  SHAPED,
} from "../kernel/contract.ts";
import { largestFinite, type Updater } from "./updater.ts";

/** A divisor for gradients of zero. It is a normal number in float16 too. */
const SMALLEST_DIVISOR = 2 ** -14;

export const operations: Updater = {
  /** Reads one number back: on a graphics card the program waits for it. */
  sumOfSquares(gradient) {
    const [total] = tidy(() => sum(square(gradient)).dataSync()) as Float32Array;
    if (Number.isFinite(total)) return total!;
    // Squares of finite elements can overflow. Then the sum is made in double, as the kernels make it.
    return (gradient.dataSync() as Float32Array).reduce((sum, value) => sum + value * value, 0);
  },

  clip(gradients, clipNorm, globalClipNorm) {
    if (globalClipNorm === Infinity) return gradients.map((one) => mul(one, factorOf([one], clipNorm)));
    const factor = factorOf(gradients, globalClipNorm);
    return gradients.map((one) => mul(one, factor));
  },

  update({ variable, state }, gradient, scalars) {
    const { variant, alpha, oneMinusAlpha, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
    const { gradScale, clipValue, decoupledDecay, weightDecay, correction, zShare, stepShare } = scalars;
    const uses = (bit: number) => (variant & bit) !== 0;
    tidy(() => {
      let g = gradient;
      if (uses(SHAPED | DECAYED)) g = mul(g, gradScale);
      if (uses(SHAPED) && clipValue !== Infinity) g = clipByValue(g, -clipValue, clipValue);
      if (uses(DECAYED)) g = add(g, mul(weightDecay, variable));

      const byDifference = movesByDifference(scalars);
      const averageOf = (before: Tensor, next: () => Tensor, weighted: () => Tensor) =>
        byDifference
          ? add(before, mul(oneMinusAlpha, sub(next(), before)))
          : add(mul(alpha, before), weighted());
      const flushed = (tensor: Tensor) =>
        uses(FLUSHED) ? zeroWhere(less(abs(tensor), FLOAT32.smallestNormal), tensor) : tensor;
      const squared = () => mul(mul(oneMinusAlpha, g), g);
      let v: Tensor = minimum(
        averageOf(state.squareAvg, () => square(g), squared),
        largestFinite(),
      );
      state.squareAvg.assign(flushed(v));
      if (uses(CENTERED)) {
        const a = averageOf(
          state.gradAvg!,
          () => g,
          () => mul(oneMinusAlpha, g),
        );
        state.gradAvg!.assign(flushed(a));
        const variance = sub(v, square(a));
        v = zeroWhere(less(variance, 0), variance);
      }
      if (uses(CORRECTED)) v = div(v, correction);

      const d = add(sqrt(add(v, epsInside)), eps);
      let u: Tensor = div(mul(updateScale, g), d);
      if (uses(MOMENTUM)) {
        let m: Tensor = add(mul(momentum, state.momentumBuffer!), u);
        state.momentumBuffer!.assign(flushed(m));
        if (uses(NESTEROV)) m = add(u, mul(momentum, m));
        u = mul(bufferScale, m);
      }
      if (uses(DECOUPLED)) u = add(u, mul(decoupledDecay, variable));
      if (uses(SCHEDULE_FREE)) {
        const way = sub(state.z!, variable);
        state.z!.assign(flushed(sub(state.z!, u)));
        u = sub(mul(stepShare, u), mul(zShare, way));
      }
      variable.assign(flushed(sub(variable, u)));
    });
  },

  average(y, z, share) {
    tidy(() => y.assign(add(y, mul(share, sub(z, y)))));
  },
};

/**
 * The factor that scales tensors down to the L2 norm `limit`, as a scalar on the card: 1 if they are shorter, or if their
 * norm isn't finite, as with the kernels. Elements are divided by the largest first: squares overflow, in float16 from 256.
 */
function factorOf(tensors: readonly Tensor[], limit: number): Tensor {
  const largest = maximum(max(stack(tensors.map((one) => max(abs(one))))), SMALLEST_DIVISOR);
  const norm = mul(largest, sqrt(addN(tensors.map((one) => sum(square(div(one, largest)))))));
  const isLonger = logicalAnd(greater(norm, limit), lessEqual(norm, largestFinite()));
  return where(isLonger, div(limit, norm), onesLike(norm));
}

/** As a list, since webgl's `where` takes four dimensions at most. */
function zeroWhere(condition: Tensor, tensor: Tensor): Tensor {
  const list = reshape(tensor, [-1]);
  return reshape(where(reshape(condition, [-1]), zerosLike(list), list), tensor.shape);
}
