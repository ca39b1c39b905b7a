/**
 * The contract between the optimizer and its backends: the entry points and scalars that `wasm.ts` (WebAssembly)
 * and `reference.ts` (JavaScript) both keep, and nothing about how they keep it.
 */

import type { FloatArray, Real } from "../base/real.ts";
import { PLANES, type Segment } from "./segment.ts";

/** Which implementation of the mathematics runs: WebAssembly SIMD, or plain JavaScript with the same bits. */
export type Backend = "wasm" | "js";

/** Bits of `Scalars.variant`, as `assembly/rmsprop.ts` reads them: the parts of the mathematics that a step uses. */
export const MOMENTUM = 1;
export const CENTERED = 2;
/** `gradScale` and `clipValue`. */
export const SHAPED = 4;
/** `gradScale` and `weightDecay`. */
export const DECAYED = 8;
export const NESTEROV = 16;
export const CORRECTED = 32;
/** The running average of the weights. */
export const AVERAGED = 64;
/** The gradient is cleared behind the update. */
export const ZEROED = 128;
/** `decoupledDecay`. */
export const DECOUPLED = 256;
/** Denormals in parameters, state and average become 0 behind the update: at every `FLUSH_INTERVAL`th step. */
export const FLUSHED = 512;
/** `z`, `zShare` and `stepShare`. */
export const SCHEDULE_FREE = 1024;
/** `moved` and `growth`. */
export const LEARNED = 2048;
/** With `updateRows` alone: one mean square for each row. */
export const ROWWISE = 4096;
/** With `updateRows` alone: rows are brought up to date, and not updated. */
export const IDLE = 32768;
/** With `updateRows` alone: `steps` stand by the rows' numbers, not in the order of the list. */
export const BY_ROW = 65536;

/** The steps from one flush to the next. They are counted, so that bits depend on no threads, shares or restarts. */
export const FLUSH_INTERVAL = 64;

/** The most threads that can share an update. */
export const MAX_THREADS = 64;

/**
 * A step's hyperparameters as the kernels compute with them. Each number is already rounded to the
 * element type.
 */
export interface Scalars {
  /** The sum of the bits above that are in use. */
  variant: number;
  alpha: number;
  /** `1 - alpha`, computed in double and rounded once: in float32, other bits than a subtraction there gives. */
  oneMinusAlpha: number;
  epsInside: number;
  eps: number;
  /** Multiplies the gradient above the root: `lr`, or 1 where `lr` multiplies the momentum buffer. */
  updateScale: number;
  momentum: number;
  /** Multiplies the momentum buffer on its way to the parameter. */
  bufferScale: number;
  /** Negative when maximizing. */
  gradScale: number;
  clipValue: number;
  /** `lr * weightDecay` for decoupled weight decay, computed in double and rounded once. */
  decoupledDecay: number;
  weightDecay: number;
  /** `1 - alpha ** t` at step t, for bias correction. */
  correction: number;
  /** `1 - decay` of the average of the weights; 1 at the first step, which takes the weights themselves. */
  emaWeight: number;
  /** The weight of this step's z in the average of all, for `scheduleFree`. */
  zShare: number;
  /** The share of the update that moves the parameter too: `1 - beta * (1 - zShare)`, computed in double. */
  stepShare: number;
  /** The share by which `moved` grows, since the learned rate is another than before. */
  growth: number;
}

/** Whether averages move by a share of the difference; `assembly/rmsprop.ts` says why not always. */
export function movesByDifference({ oneMinusAlpha }: Scalars): boolean {
  return oneMinusAlpha > 0 && oneMinusAlpha < 0.5;
}

/** All numbers of a step but the switches, in the order in which kernels take them. */
export const SCALARS = [
  "alpha",
  "oneMinusAlpha",
  "epsInside",
  "eps",
  "updateScale",
  "momentum",
  "bufferScale",
  "gradScale",
  "clipValue",
  "decoupledDecay",
  "weightDecay",
  "correction",
  "emaWeight",
  "zShare",
  "stepShare",
  "growth",
] as const satisfies Exclude<keyof Scalars, "variant">[];

/** How many arguments `update` of `assembly/update.ts` takes: the variant, the planes, the count, the scalars. */
export const ARITY = /* @__PURE__ */ (() => 2 + PLANES.length + SCALARS.length)();

/**
 * The arguments of `update` in its order. The WebAssembly backend writes them out instead: a call by a list takes
 * ten times as long.
 */
export function argumentsOf(segment: Segment, scalars: Scalars): number[] {
  const planes = PLANES.map((name) => segment[name]);
  return [scalars.variant, ...planes, segment.count, ...SCALARS.map((name) => scalars[name])];
}

/**
 * Rows of a tensor, and the steps that they have missed. Kernels find them by lists in the memory, so that many rows take
 * one call.
 */
export interface Rows {
  /** Byte offset of the list of the rows' numbers (uint32), each of them once. */
  readonly ptr: number;
  /** Rows in the list. */
  readonly count: number;
  /** Byte offset of the list of steps (uint32) up to which each row is up to date; 0 if no row has missed any. */
  readonly steps: number;
  /** The step to which they are brought. */
  readonly now: number;
  /** The factor of averages for each step that was missed. */
  readonly averageKept: number;
  /** Byte offset of the first `POWERS` powers (float64) of that factor, from 1 up, or 0: then a kernel computes them. */
  readonly powers: number;
  /** Byte offset of an entry for each row, in the order of the list, or 0 if steps without a gradient move averages alone. */
  readonly moves: number;
}

export const POWERS = 512;

/**
 * The numbers (float64) of an entry of `moves`, in their order: the factors of the steps that a row has missed.
 * `assembly/rows.ts` says how they are applied.
 */
export const MOVES = [
  "momentumKept",
  "paramKept",
  "paramOfMomentum",
  "emaKept",
  "emaOfParam",
  "emaOfMomentum",
] as const;
/** An entry of steps that move nothing but averages. */
export const UNMOVED: readonly number[] = [1, 1, 0, 1, 0, 0];
/** Bytes of such an entry. */
export const MOVES_BYTES = 48;

/** How many arguments `updateRows` of `assembly/rows.ts` takes: between those of `update`, the lists of rows. */
export const ROW_ARITY = /* @__PURE__ */ (() => ARITY + 7)();

/** The arguments of `updateRows` in its order. */
export function rowArgumentsOf(segment: Segment, scalars: Scalars, rows: Rows): number[] {
  const all = argumentsOf(segment, scalars);
  const { ptr, count, steps, now, averageKept, powers, moves } = rows;
  all.splice(2 + PLANES.length, 0, ptr, steps, powers, moves, count, now, averageKept);
  return all;
}

/** Elements whose squares are summed by themselves, a part of the numerics: the sums of blocks are added up in order. */
export const BLOCK = 4096;

/** A backend, bound to one memory. */
export interface Kernel {
  readonly backend: Backend;
  readonly real: Real;
  /** Updates one segment in place. The caller has checked that it lies in the memory. */
  update(segment: Segment, scalars: Scalars): void;
  /**
   * Brings rows of one tensor up to date in place, and updates them, unless the variant is `IDLE`. The segment's planes
   * begin at row 0, and its count is that of a row; rowwise, `squareAvg` has one element for each row.
   */
  updateRows(segment: Segment, scalars: Scalars, rows: Rows): void;
  /** Whether a thread that was given up may still read lists of rows and write to their elements; without it, none may. */
  hasLate?(): boolean;
  /**
   * The sum of the squares of `count` gradients, in double, in the order that `assembly/gradient.ts` describes. Each is
   * multiplied by `scale` first, a power of two; in float32, which needs no other, it is 1.
   */
  sumOfSquares(grad: number, count: number, scale: number): number;
  /**
   * The inner product of `count` gradients, scaled and clipped to `±clipValue`, and `moved`, by byte offsets: in the order
   * that `assembly/learned.ts` describes.
   */
  innerProduct(grad: number, moved: number, count: number, gradScale: number, clipValue: number): number;
  /** How many threads share the work just now; without it, one. */
  readonly threads?: number;
  /** Resolves once as many do as ever will. */
  readonly ready?: Promise<void>;
  /**
   * Throws `ThreadError` for elements that were lost to other threads since the last call, or as long as such a thread may
   * still write to them. Keeps `hold` informed of that.
   */
  settle?(
    groups: readonly { readonly tensors: readonly { readonly name: string; readonly segment: Segment }[] }[],
    hold: { isHeld: boolean },
  ): void;
  /** Ends the other threads. */
  dispose?(): void;
}

/** The backends of an entry of the package, over elements of one type. */
export interface Backends<Elements extends FloatArray = FloatArray> {
  readonly real: Real<Elements>;
  /** Binds one to a memory. Throws `BackendError` for one that the entry lacks. Several threads take a shared memory. */
  open(memory: WebAssembly.Memory, wanted: Backend | undefined, threads: number): Kernel;
  /** Whether this place has threads that can share a memory; without it, none has. */
  canShare?(): boolean;
}
