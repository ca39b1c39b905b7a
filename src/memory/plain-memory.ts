/**
 * What of a `WebAssembly.Memory` is used here, for engines that have none, as Safari in Lockdown Mode and V8 without its
 * compilers: its backend is JavaScript then, but tensors lie in one memory all the same.
 */
const PAGE_BYTES = 65_536;

export class PlainMemory implements Pick<WebAssembly.Memory, "buffer" | "grow"> {
  buffer: ArrayBuffer;

  constructor({ initial }: { initial: number }) {
    this.buffer = new ArrayBuffer(initial * PAGE_BYTES);
  }

  /** As WebAssembly's does, it empties all views made before. */
  grow(pages: number): number {
    const former = this.buffer;
    const { byteLength } = former;
    const buffer = new ArrayBuffer(byteLength + pages * PAGE_BYTES);
    new Uint8Array(buffer).set(new Uint8Array(former));
    structuredClone(former, { transfer: [former] });
    this.buffer = buffer;
    return byteLength / PAGE_BYTES;
  }
}
