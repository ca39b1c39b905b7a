/** The compiled kernels, from the text in which the package carries them. */
import type { FloatArray, Real } from "../base/real.ts";
import { isShared } from "../memory/layout.ts";
import type { Kernels } from "./wasm.ts";

/** Gives kernels by their text. They are compiled on first use and kept: every optimizer of a program shares the code. */
export function kernelsOf<Elements extends FloatArray>(real: Real<Elements>, hex: string): Kernels<Elements> {
  let compiled: WebAssembly.Module | undefined;
  let compiledShared: WebAssembly.Module | undefined;
  return {
    real,
    compileFor(memory) {
      if (isShared(memory)) {
        compiledShared ??= new WebAssembly.Module(declareShared(decodeHex(hex)));
        return compiledShared;
      }
      compiled ??= new WebAssembly.Module(decodeHex(hex));
      return compiled;
    },
  };
}

/**
 * The binary for shared memories: another two numbers in its import, and the same code. A test compares it with what
 * the compiler gives for them; a second binary inside would make the entry heavier by a fifth.
 */
export function declareShared(binary: Uint8Array): Uint8Array<ArrayBuffer> {
  // Sections are a number and a length each, whose second byte begins at 128; those of types and imports come first.
  let at = 8;
  while (binary[at] !== 2) {
    const length = binary[at + 1]!;
    at += length < 128 ? 2 + length : 3 + (length - 128) + 128 * binary[at + 2]!;
  }
  const end = at + 2 + binary[at + 1]!;
  const shared = new Uint8Array(binary.length + 3);
  shared.set(binary.subarray(0, end));
  shared[at + 1]! += 3;
  // The import's last two bytes are its limits: no maximum, at least 0 pages. Now: shared, 0 to 65,536.
  shared.set([3, 0, 0x80, 0x80, 4], end - 2);
  shared.set(binary.subarray(end), end + 3);
  return shared;
}

/** Decodes by Node's `Buffer` where there is one: the loop takes a good part of the time to the first step. */
function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as {
    Buffer?: { from(text: string, encoding: "hex"): Uint8Array<ArrayBuffer> };
  };
  const byteAt = (_: unknown, i: number) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return Buffer?.from(text, "hex") ?? Uint8Array.from({ length: text.length / 2 }, byteAt);
}
