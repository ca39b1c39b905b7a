/** Errors of a step in which a worker has died or stood still: they name the elements that nobody knows to be updated. */

import { show } from "../base/show.ts";
import { ThreadError } from "../errors.ts";
import type { Plane, Segment } from "../kernel/segment.ts";

/** Bytes from one to before another. */
export interface Bytes {
  readonly from: number;
  to: number;
}

/** A group's tensors, as far as an error names them. */
export interface SettledGroup {
  readonly tensors: readonly { readonly name: string; readonly segment: Pick<Segment, Plane | "count"> }[];
}

const REPAIR =
  "Load a checkpoint into a new optimizer (`load`); or `await optimizer.ready`, which waits until that worker has left, then restore the checkpoint here (`restore`, `loadStateDict`) and write the gradients anew.";

/** The most ranges that a message names. */
const MAX_NAMED = 4;

export function lostError(
  ranges: readonly Bytes[],
  groups: readonly SettledGroup[],
  elementBytes: number,
): ThreadError {
  const lost = groups.flatMap(({ tensors }, group) =>
    tensors.flatMap(({ name, segment: { param, count } }) =>
      ranges.flatMap(({ from, to }) => {
        const start = Math.max(0, (from - param) / elementBytes);
        const end = Math.min(count, (to - param) / elementBytes);
        return start < end ? [{ group, name, start, end }] : [];
      }),
    ),
  );
  const named = lost
    .slice(0, MAX_NAMED)
    .map(
      ({ group, name, start, end }) => `${show(name.slice(0, 60))}[${start} to ${end - 1}] in group ${group}`,
    );
  if (lost.length > MAX_NAMED) named.push(`${lost.length - MAX_NAMED} more, in this error's \`lost\``);
  const byteOffset = Math.min(...ranges.map(({ from }) => from));
  const byteLength = Math.max(...ranges.map(({ to }) => to)) - byteOffset;
  return new ThreadError(
    `A worker died in the middle of a step, or stood still for seconds. The step is taken and counts, but nobody knows whether these elements and their state are updated: ${named.join("; ")}. ${REPAIR} Until then, steps and all that reads the state are refused.`,
    byteOffset,
    byteLength,
    lost,
  );
}

export function lateError(): ThreadError {
  return new ThreadError(
    `A worker that was given up in an earlier step may still write to elements that it had claimed, so nothing was done. ${REPAIR}`,
  );
}
