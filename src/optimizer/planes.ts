/** The planes that tensors need: which ones by their hyperparameters and options, and their places in the memory. */

import type { Plane, Segment, StatePlane } from "../kernel/segment.ts";
import { PLANES, segmentAt } from "../kernel/segment.ts";
import type { Arena } from "../memory/arena.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import type { Tensor } from "./tensor.ts";

/** Options that keep a plane of their own. */
export interface Kept {
  readonly ema?: unknown;
  readonly scheduleFree?: unknown;
  readonly lr?: unknown;
}

/** The planes of each tensor that are kept from step to step. */
export function keptPlanes(hyperparameters: Hyperparameters, { ema, scheduleFree, lr }: Kept): Plane[] {
  const planes: Plane[] = ["param", ...statePlanesOf(hyperparameters)];
  if (ema) planes.push("ema");
  if (scheduleFree) planes.push("z");
  if (lr === "auto") planes.push("moved");
  return planes;
}

/** The planes of state that these hyperparameters need, and some tensor lacks. */
export function missingIn(tensors: readonly Tensor[], next: Hyperparameters): StatePlane[] {
  return statePlanesOf(next).filter((plane) => tensors.some(({ segment }) => segment[plane] === 0));
}

/** The planes of state that these hyperparameters use. */
export function statePlanesOf({ momentum, centered }: Hyperparameters): StatePlane[] {
  const planes: StatePlane[] = ["squareAvg"];
  if (momentum > 0) planes.push("momentumBuffer");
  if (centered) planes.push("gradAvg");
  return planes;
}

/** Planes that these tensors need in the memory: all the tensors one behind the other in each, in the same order. */
export interface Wants {
  readonly tensors: readonly Tensor[];
  readonly planes: readonly Plane[];
}

/** The pairs that have tensors: a reservation for none would place nothing. */
export function wantsOf(...pairs: readonly (readonly [readonly Tensor[], readonly Plane[]])[]): Wants[] {
  return pairs.filter(([tensors]) => tensors.length > 0).map(([tensors, planes]) => ({ tensors, planes }));
}

/**
 * Places all that groups want, and `more` behind it, in one reservation: one growth of the memory, or an error and
 * nothing placed.
 *
 * @returns the addresses of `more`.
 */
export function reserve(arena: Arena, wants: readonly Wants[], more: readonly number[] = []): number[] {
  const sizes = wants.flatMap(({ tensors, planes }) =>
    planes.map((plane) => tensors.reduce((sum, tensor) => sum + tensor.byteStrideIn(plane), 0)),
  );
  const ptrs = arena.allocatePlanes([...sizes, ...more]).values();
  for (const { tensors, planes } of wants) {
    for (const plane of planes) {
      let ptr = ptrs.next().value!;
      for (const tensor of tensors) {
        tensor.segment[plane] = ptr;
        ptr += tensor.byteStrideIn(plane);
      }
    }
  }
  return [...ptrs];
}

/** Covers the tensors with as few segments as possible: tensors that follow each other in all planes need one call. */
export function mergedSegments(tensors: readonly Tensor[], bytes: number): Segment[] {
  const segments: Segment[] = [];
  let last: Segment | undefined;
  for (const tensor of tensors) {
    const { segment } = tensor;
    const byteStride = tensor.byteStrideIn("param");
    const lastBytes = (last?.count ?? 0) * bytes;
    if (last && follows(last, segment, lastBytes)) {
      last.count += byteStride / bytes;
    } else {
      last = segmentAt(segment, byteStride / bytes);
      segments.push(last);
    }
  }
  return segments;
}

/** Whether a segment begins in all planes where the one before it, of so many bytes, ends. */
function follows(before: Segment, segment: Segment, bytes: number): boolean {
  for (const plane of PLANES) {
    if (segment[plane] !== (before[plane] && before[plane] + bytes)) return false;
  }
  return true;
}
