/** Ranges of bytes that callers and their modules name: checked to be inside the memory and apart from each other. */
import { show } from "../base/show.ts";
import { MemoryError } from "../errors.ts";

/** Bytes of a memory, from `ptr` to before `end`, under the name by which errors call them. */
export interface Range {
  readonly name: string;
  readonly ptr: number;
  readonly end: number;
}

/**
 * Checks an address and gives the range that begins there. A negative whole number is an address above 2 GiB, as the
 * exports of modules give those: JavaScript sees their 32 bits as a signed number.
 */
export function rangeAt(name: string, given: unknown, byteLength: number, memoryBytes: number): Range {
  const address = typeof given === "number" ? given : NaN;
  const ptr = address < 0 ? address + 2 ** 32 : address;
  const fits = ptr + byteLength <= memoryBytes;
  if (!(ptr >= 0) || ptr % 4 !== 0 || (address < 0 && !fits)) {
    throw new MemoryError(
      `${name}: got byte offset ${show(given)}, expected a multiple of 4 from 0 up, inside the memory of ${memoryBytes} bytes.`,
    );
  }
  if (!fits) {
    throw new MemoryError(
      `${name}: bytes ${ptr} to ${ptr + byteLength} lie outside the memory of ${memoryBytes} bytes.`,
    );
  }
  return { name, ptr, end: ptr + byteLength };
}

/** Sorts ranges by their addresses, and gives two that overlap, the one that begins first before the other. */
export function findOverlap(ranges: Range[]): [Range, Range] | undefined {
  ranges.sort((a, b) => a.ptr - b.ptr);
  const i = ranges.findIndex(({ end }, i) => end > (ranges[i + 1]?.ptr ?? Infinity));
  return i < 0 ? undefined : [ranges[i]!, ranges[i + 1]!];
}

/** Gives these ranges with further ones, sorted, if all are apart from each other. */
export function joined(ranges: readonly Range[], further: readonly Range[]): Range[] {
  const all = [...ranges, ...further];
  const overlap = findOverlap(all);
  if (overlap) {
    const [before, next] = overlap;
    throw new MemoryError(
      `${next.name} at byte ${next.ptr} overlaps ${before.name}, which takes bytes ${before.ptr} to ${before.end}.`,
    );
  }
  return all;
}
