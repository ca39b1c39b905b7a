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
    const { byteLength } = this.buffer;
    this.buffer = resized(this.buffer, byteLength + pages * PAGE_BYTES);
    return byteLength / PAGE_BYTES;
  }
}

/** Moves the bytes of a buffer into a larger one. An engine that can't empty its views would lose what is written to them. */
function resized(former: ArrayBuffer & { transfer?(byteLength: number): ArrayBuffer }, byteLength: number) {
  if (former.transfer) return former.transfer(byteLength);
  if (typeof structuredClone === "undefined") {
    throw new RangeError(
      "this engine has neither ArrayBuffer.prototype.transfer nor structuredClone, to grow a memory: set momentum and centered when making the optimizer",
    );
  }
  const buffer = new ArrayBuffer(byteLength);
  new Uint8Array(buffer).set(new Uint8Array(former));
  structuredClone(former, { transfer: [former] });
  return buffer;
}
