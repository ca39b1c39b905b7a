/** A step by shares: which elements of a group are in one. */
import { partOf, type Segment } from "../kernel/segment.ts";
import { CACHE_LINE_BYTES } from "../memory/layout.ts";
import type { Shard } from "../options/options.ts";

/** The elements of a tensor that are in a share, as `subarray` takes them. None of them: `start` is `end`. */
export interface ElementRange {
  /** The first. */
  readonly start: number;
  /** The one after the last. */
  readonly end: number;
}

const CACHE_LINE_ELEMENTS = CACHE_LINE_BYTES / 4;

/**
 * Gives the part of a segment, or of a tensor in it, that is in a share of all `segments`. Shares meet at whole cache
 * lines from the first segment's start, so that no two threads write to one.
 */
export function shareOf(
  segments: readonly Segment[],
  { index, count }: Shard,
): (segment: Segment) => Segment | undefined {
  const total = segments.reduce((sum, segment) => sum + segment.count, 0);
  const boundary = (i: number) =>
    i === count ? total : Math.floor((total * i) / count / CACHE_LINE_ELEMENTS) * CACHE_LINE_ELEMENTS;
  const [from, to] = [boundary(index), boundary(index + 1)];
  return (segment) => {
    const start = positionIn(segments, segment);
    const first = Math.max(from - start, 0);
    const last = Math.min(to - start, segment.count);
    return first < last ? partOf(segment, first, last) : undefined;
  };
}

/** How many elements of all segments come before this one, which is one of them or lies in one. */
function positionIn(segments: readonly Segment[], segment: Segment): number {
  let before = 0;
  for (const { param, count } of segments) {
    if (segment.param >= param && segment.param < param + count * 4) {
      return before + (segment.param - param) / 4;
    }
    before += count;
  }
  return before;
}
