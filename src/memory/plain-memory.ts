/**
 * A stand-in for `WebAssembly.Memory` in engines without WebAssembly, such as Safari in Lockdown Mode and V8 without its
 * compilers. The backend is JavaScript then, but tensors still share one memory.
 */
const PAGE_BYTES = 65_536;

export class PlainMemory implements Pick<WebAssembly.Memory, "buffer" | "grow"> {
  buffer: ArrayBuffer;

  constructor({ initial }: { initial: number }) {
    this.buffer = new ArrayBuffer(initial * PAGE_BYTES);
  }

  /** Empties all views made before, as the growth of a WebAssembly memory does. */
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
