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
 * Checks an address, a multiple of `align`, and gives the range that begins there. A negative whole number is an address above 2 GiB, as the
 * exports of modules give those: JavaScript sees their 32 bits as a signed number.
 */
export function rangeAt(
  name: string,
  given: unknown,
  byteLength: number,
  memoryBytes: number,
  align: number,
): Range {
  const address = Number.isInteger(given) ? (given as number) : NaN;
  const ptr = address < 0 ? address + 2 ** 32 : address;
  const fits = ptr + byteLength <= memoryBytes;
  // The bits, since the remainder of a number that may be no int32 takes as long as a small update.
  if (!(ptr >= 0) || (address & (align - 1)) !== 0 || (address < 0 && !fits)) {
    throw new MemoryError(
      `${name}: got byte offset ${show(given)}, expected a multiple of ${align} from 0 up, inside the memory of ${memoryBytes} bytes.`,
    );
  }
  if (!fits) {
    throw new MemoryError(
      `${name}: bytes ${ptr} to ${ptr + byteLength} lie outside the memory of ${memoryBytes} bytes.`,
    );
  }
  return { name, ptr, end: ptr + byteLength };
}

export function areApart(a: Range, b: Range): boolean {
  return a.end <= b.ptr || b.end <= a.ptr;
}

/** Gives these ranges with further ones, sorted by address, if all are apart from each other. */
export function joined(ranges: readonly Range[], further: readonly Range[]): Range[] {
  const all = [...ranges, ...further].sort((a, b) => a.ptr - b.ptr);
  all.reduce((before, next) => {
    if (areApart(before, next)) return next;
    throw new MemoryError(
      `${next.name} at byte ${next.ptr} overlaps ${before.name}, which takes bytes ${before.ptr} to ${before.end}.`,
    );
  });
  return all;
}
