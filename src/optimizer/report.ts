/** Reports on tensors: figures of the gradients, updates and effective learning rates that the update loop computes. */

import type { Real } from "../base/real.ts";
import { partOf, type Segment } from "../kernel/segment.ts";
import { clipFactor, scalarsOf } from "../options/scalars.ts";
import { clippedScale, type Gradients } from "./norms.ts";
import type { Parts } from "./parts.ts";
import { PIECE, type Piece, Probe } from "./probe.ts";
import type { RowList } from "./row-list.ts";
import { acceptGrowth, type Tensor } from "./tensor.ts";

/**
 * One tensor in figures. Those that aren't whole numbers are as precise as float32, in the fewest digits that
 * identify the value there.
 * Elements counted in `nonFinite` are left out of all figures but `zeroGradShare`, so that the others can be seen; if there
 * are no others, the figures are NaN.
 */
export interface TensorReport {
  /** Root mean square of the gradient in memory, neither scaled nor clipped. */
  gradRms: number;
  /**
   * Root mean square of the update that `step` subtracts: with `momentum` it comes out of the momentum buffer, otherwise it
   * is `lr * grad / denominator`. `grad` is scaled, clipped and has coupled weight decay added, as in `step`. Decoupled
   * decay isn't part of it. With `scheduleFree`, it is the update of `state[name].z`. With `lr: "auto"`, the
   * change of scale isn't part of it.
   */
  updateRms: number;
  /** `updateRms` divided by the root mean square of the parameter; as a rule of thumb, 1e-3 is healthy. 0 without update. */
  updateRatio: number;
  /** Smallest effective learning rate: `lr / denominator`, which is `sqrt(squareAvg) + eps` unless options change it. */
  minLr: number;
  /** Median of the effective learning rates; the mean of the middle two if their number is even. */
  medianLr: number;
  /** Largest effective learning rate. */
  maxLr: number;
  /** Share of the elements whose gradient is 0, from 0 to 1. */
  zeroGradShare: number;
  /** How many elements have a gradient, parameter, update or effective learning rate that is NaN or infinite. */
  nonFinite: number;
}

/** One for each backend and type of elements, kept: all that a probe is made of. */
const probes = new Map<string, Probe>();

/**
 * Gives the reports on all tensors, by name, of the last step.
 *
 * @param last The gradients of that step.
 *
 * @internal
 */
export function reportsOn(parts: Parts, last: Gradients): [string, TensorReport][] {
  const { arena, backends, kernel, groups, tensors, norms, options, progress, learned } = parts;
  const { backend, real } = kernel;
  progress.refuseSwapped();
  if (arena.hasGrown) acceptGrowth(arena, tensors.values());
  const { norm, tensorNorms } = norms.measure(groups, kernel, { ...last, known: undefined });
  const scale = last.gradScale * clipFactor(norm, options.globalClipNorm);
  const step = Math.max(progress.steps - 1, 0);
  const key = `${backend} ${real.name}`;
  const probe = probes.get(key) ?? new Probe(real, (memory) => backends.open(memory, backend, 1));
  probes.set(key, probe);
  const heap = new real.Array(arena.memory.buffer);
  const bins = new Uint32Array(BINS);
  return groups.flatMap((group) => {
    const { tensors, hyperparameters } = group;
    const lr = group.lrAt(step);
    return tensors.map((tensor): [string, TensorReport] => {
      const gradScale = clippedScale(scale, tensorNorms.get(tensor), hyperparameters.clipNorm);
      const rate = learned && { rate: learned.rate, growth: 0 };
      const plan = { step, gradScale, zeroGrad: false, emaDecay: undefined, learned: rate };
      const scalars = scalarsOf(hyperparameters, lr, plan, real);
      const list = last.lists?.get(tensor);
      const runs = runsIn(tensor, list, real.bytes);
      const averages = tensor.isRowwise ? tensor.view("squareAvg") : undefined;
      function* pieces() {
        for (const { first, segment } of runs) {
          const { width = 1 } = tensor.rows ?? {};
          const averageOf = averages && ((i: number) => averages[first + Math.floor(i / width)]!);
          yield* probe.pieces(heap, segment, scalars, averageOf);
        }
      }
      const count = runs.reduce((sum, { segment }) => sum + segment.count, 0);
      // Each pass runs the kernels, unless one piece holds everything.
      const only = !list && count <= PIECE && [...pieces()];
      return [tensor.name, tensorReport(() => only || pieces(), count, real, bins)];
    });
  });
}

/** The parts of a tensor that had a gradient: all of it, or runs of rows that follow each other. */
function runsIn(
  tensor: Tensor,
  list: RowList | undefined,
  bytes: number,
): { readonly first: number; readonly segment: Segment }[] {
  if (!list) return [{ first: 0, segment: tensor.segment }];
  const { width } = tensor.rows!;
  return list.runs.map(({ first, count }) => ({
    first,
    segment: partOf(tensor.segment, first * width, (first + count) * width, bytes),
  }));
}

/** A median is found in the 31 bits below a rate's sign, by windows of 11 bits that overlap by one. */
const BIN_BITS = 11;
const BINS = 2 ** BIN_BITS;
const SHIFTS = [20, 10, 0] as const;

/** @param bins Room that serves all tensors: for each anew, it took longer than to measure a small tensor. */
function tensorReport(
  pieces: () => Iterable<Piece>,
  count: number,
  real: Real,
  bins: Uint32Array,
): TensorReport {
  const measure = (prefix: number, shift: number, scale = 1) =>
    figuresOf(pieces(), bins, prefix, shift, scale);
  const figures = measure(0, SHIFTS[0]);
  const { smallest, largest, zeros, used } = figures;
  const median = used === 0 ? NaN : medianRate(bins, used, measure);
  const rms = (name: "gradSquares" | "updateSquares" | "paramSquares") =>
    real.root((scale) => (scale === 1 ? figures : measure(0, SHIFTS[0], scale))[name] / used);
  const updateRms = rms("updateSquares");
  return {
    gradRms: shortest(rms("gradSquares")),
    updateRms: shortest(updateRms),
    updateRatio: updateRms === 0 ? 0 : shortest(updateRms / rms("paramSquares")),
    minLr: shortest(smallest),
    medianLr: shortest(Math.min(Math.max(median, smallest), largest)),
    maxLr: shortest(largest),
    zeroGradShare: shortest(zeros / count),
    nonFinite: count - used,
  };
}

/** Makes one pass: all figures, and in `bins` the number of rates for each value of the window that follows `prefix`. */
function figuresOf(pieces: Iterable<Piece>, bins: Uint32Array, prefix: number, shift: number, scale: number) {
  let gradSquares = 0;
  let updateSquares = 0;
  let paramSquares = 0;
  // NaN as long as there is none.
  let smallest = NaN;
  let largest = NaN;
  let zeros = 0;
  let used = 0;
  bins.fill(0);
  for (const { grad, param, update, rate } of pieces) {
    const patterns = new Uint32Array(new Float32Array(rate).buffer);
    for (let i = 0; i < grad.length; i++) {
      const g = grad[i]!;
      const p = param[i]!;
      const u = update[i]!;
      const r = Math.abs(rate[i]!); // an lr of -0 gives -0
      if (g === 0) zeros++;
      // A number minus itself is 0, unless it isn't finite.
      if (g - g + (p - p) + (u - u) + (r - r) !== 0) continue;
      used++;
      gradSquares += squared(g * scale);
      updateSquares += squared(u * scale);
      paramSquares += squared(p * scale);
      if (!(r >= smallest)) smallest = r;
      if (!(r <= largest)) largest = r;
      const bits = patterns[i]! & 0x7fffffff;
      if ((bits ^ prefix) >>> (shift + BIN_BITS) === 0) bins[(bits >>> shift) % BINS]!++;
    }
  }
  return { gradSquares, updateSquares, paramSquares, smallest, largest, zeros, used };
}

const squared = (value: number) => value * value;

/** The middle rate, or the mean of the middle two. */
function medianRate(
  bins: Uint32Array,
  count: number,
  measure: (prefix: number, shift: number) => unknown,
): number {
  const middle = [Math.ceil(count / 2) - 1, Math.floor(count / 2)].map((rank) => ({ rank, prefix: 0 }));
  for (const shift of SHIFTS) {
    // The first window has been measured.
    let measured = shift === SHIFTS[0] ? 0 : -1;
    for (const target of middle) {
      const { prefix } = target;
      if (prefix !== measured) measure(prefix, shift);
      measured = prefix;
      // Bins below the prefix's own hold rates that the last window has already separated.
      let bin = (prefix >>> shift) % bins.length;
      while (bins[bin]! <= target.rank) target.rank -= bins[bin++]!;
      target.prefix = prefix | (bin << shift);
    }
  }
  const rates = new Float32Array(Uint32Array.from(middle, ({ prefix }) => prefix).buffer);
  return (rates[0]! + rates[1]!) / 2;
}

/** Gives the shortest number that rounds to this float32: 0.01 rather than 0.009999999776482582. */
function shortest(value: number): number {
  const single = Math.fround(value);
  // A float64 may be none, too large or too small for it.
  if (single !== value && (single === 0 || Math.abs(single) === Infinity))
    return Number(value.toPrecision(9));
  for (let digits = 1; ; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Object.is(Math.fround(short), single)) return short;
  }
}
