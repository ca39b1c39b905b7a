/** What a report measures, in plain JavaScript: the mathematics of `assembly/report.ts`, with the same bits. */
import {
  BIN_BITS,
  CENTERED,
  CORRECTED,
  DECAYED,
  type Figures,
  MOMENTUM,
  NESTEROV,
  type Scalars,
  type Segment,
  type Totals,
} from "./kernel.ts";

const f32 = Math.fround;

export function report(
  heap: Float32Array,
  segment: Segment,
  scalars: Scalars,
  { bins, totals }: Figures,
  prefix: number,
  shift: number,
): void {
  const { variant, epsInside, eps, updateScale, momentum, bufferScale } = scalars;
  const { gradScale, clipValue, weightDecay, correction } = scalars;
  const lr = f32(updateScale * bufferScale);
  const single = new Float32Array(1);
  const bits = new Uint32Array(single.buffer);
  let gradSquares = 0;
  let updateSquares = 0;
  let paramSquares = 0;
  let smallest = Infinity;
  let largest = 0;
  let zeros = 0;
  let leftOut = 0;
  bins.fill(0);

  for (let i = 0; i < segment.count; i++) {
    const p = heap[(segment.param >>> 2) + i]!;
    const g = heap[(segment.grad >>> 2) + i]!;
    let q = heap[(segment.squareAvg >>> 2) + i]!;
    if (variant & CORRECTED) q = f32(q / correction);
    if (variant & CENTERED) {
      let a = heap[(segment.gradAvg >>> 2) + i]!;
      if (variant & CORRECTED) a = f32(a / correction);
      q = f32(q - f32(a * a));
      if (q < 0) q = 0;
    }
    const d = f32(f32(Math.sqrt(f32(q + epsInside))) + eps);
    const rate = Math.abs(f32(lr / d));

    let u = f32(g * gradScale);
    if (u < -clipValue) u = -clipValue;
    if (u > clipValue) u = clipValue;
    if (variant & DECAYED) u = f32(u + f32(weightDecay * p));
    u = f32(f32(updateScale * u) / d);
    if (variant & MOMENTUM) {
      let m = heap[(segment.momentumBuffer >>> 2) + i]!;
      if (variant & NESTEROV) m = f32(u + f32(momentum * m));
      u = f32(bufferScale * m);
    }

    if (g === 0) zeros++;
    if (Math.abs(g) + Math.abs(p) + Math.abs(u) + rate < Infinity) {
      gradSquares += g * g;
      updateSquares += u * u;
      paramSquares += p * p;
      if (rate < smallest) smallest = rate;
      if (rate > largest) largest = rate;
      single[0] = rate;
      if ((bits[0]! ^ prefix) >>> (shift + BIN_BITS) === 0) bins[(bits[0]! >>> shift) % bins.length]!++;
    } else {
      leftOut++;
    }
  }
  const measured: Totals = [gradSquares, updateSquares, paramSquares, smallest, largest, zeros, leftOut];
  totals.set(measured);
}
