/** Steps by shares: the elements of a group that belong to one share. */
import { partOf, type Segment } from "../kernel/segment.ts";
import { CACHE_LINE_BYTES } from "../memory/layout.ts";
import type { Shard } from "../options/step-options.ts";

/** The elements of a tensor that belong to a share, as `subarray` takes them. If there are none, `start` equals `end`. */
export interface ElementRange {
  /** Index of the first element. */
  readonly start: number;
  /** Index after the last element. */
  readonly end: number;
}

/**
 * Gives a function from a segment, or a tensor in one, to the part of it that belongs to a share of all `segments`, whose
 * elements have so many bytes.
 * Shares meet at whole cache lines from the first segment's start, so that no two threads write to the same line.
 */
export function shareOf(
  segments: readonly Segment[],
  { index, count }: Shard,
  bytes: number,
): (segment: Segment) => Segment | undefined {
  const total = segments.reduce((sum, segment) => sum + segment.count, 0);
  const unit = CACHE_LINE_BYTES / bytes;
  const boundary = (i: number) => (i === count ? total : Math.floor((total * i) / count / unit) * unit);
  const [from, to] = [boundary(index), boundary(index + 1)];
  return (segment) => {
    const start = positionIn(segments, segment, bytes);
    const first = Math.max(from - start, 0);
    const last = Math.min(to - start, segment.count);
    return first < last ? partOf(segment, first, last, bytes) : undefined;
  };
}

/** How many elements of all segments come before this one, which is one of them or a part of one. */
function positionIn(segments: readonly Segment[], segment: Segment, bytes: number): number {
  let before = 0;
  for (const { param, count } of segments) {
    if (segment.param >= param && segment.param < param + count * bytes) {
      return before + (segment.param - param) / bytes;
    }
    before += count;
  }
  return before;
}
