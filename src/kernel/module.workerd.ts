/**
 * Takes the place of `module.ts` in the bundles for Cloudflare's workerd and Vercel's edge runtime, which compile no
 * bytes: their tools compile what is imported statically. They agree on the ending `?module`; a bare `.wasm` means the
 * module's exports to Vercel's.
 */
import { FLOAT32 } from "../base/real.ts";
import { isShared } from "../memory/layout.ts";
import module from "./core.wasm?module";
import sharedModule from "./core-shared.wasm?module";
import type { Kernels } from "./wasm.ts";

export const KERNELS: Kernels<Float32Array> = {
  real: FLOAT32,
  compileFor: (memory) => (isShared(memory) ? sharedModule : module),
};
