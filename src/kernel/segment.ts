/** Segments: runs of elements that one kernel call updates, and the planes that they have. */

/** One run of elements: the byte offset of each plane in the memory, 0 for a plane that isn't there. */
export interface Segment {
  param: number;
  grad: number;
  squareAvg: number;
  momentumBuffer: number;
  gradAvg: number;
  /** The running average of the weights. */
  ema: number;
  /** The points that `scheduleFree` averages. */
  z: number;
  /** The way from where the run began, with a learned rate. */
  moved: number;
  /** Elements in each plane. */
  count: number;
}

/** Any plane of a segment. */
export type Plane = Exclude<keyof Segment, "count">;

/** All planes, in the order in which kernels take them. */
export const PLANES = [
  "param",
  "grad",
  "squareAvg",
  "momentumBuffer",
  "gradAvg",
  "ema",
  "z",
  "moved",
] as const satisfies Plane[];

/** A plane of state, by PyTorch's name for it. */
export type StatePlane = "squareAvg" | "momentumBuffer" | "gradAvg";

/**
 * A segment of `count` elements with planes at these places. Every segment comes out of this literal: copies by spread became
 * dictionaries once V8 had seen several kinds of them, and in a program of twelve optimizers a small step took 1.27 times as long.
 */
export function segmentAt(places: Readonly<Partial<Record<Plane, number>>>, count: number): Segment {
  const {
    param = 0,
    grad = 0,
    squareAvg = 0,
    momentumBuffer = 0,
    gradAvg = 0,
    ema = 0,
    z = 0,
    moved = 0,
  } = places;
  return { param, grad, squareAvg, momentumBuffer, gradAvg, ema, z, moved, count };
}

/** The elements of a segment from one to before another, of so many bytes each. */
export function partOf(segment: Segment, from: number, to: number, bytes: number): Segment {
  const part = segmentAt(segment, to - from);
  for (const plane of PLANES) part[plane] += from * bytes;
  return part;
}
