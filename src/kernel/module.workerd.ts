/**
 * Takes the place of `binary.ts` in the bundles for Cloudflare's workerd and Vercel's edge runtime, which compile no
 * bytes: their tools compile what is imported statically. They agree on the ending `?module`; a bare `.wasm` means the
 * module's exports to Vercel's.
 */
import { isShared } from "../memory/layout.ts";
import module from "./core.wasm?module";
import sharedModule from "./core-shared.wasm?module";

/** The kernels as a module that imports a memory such as this one. */
export function compileFor(memory: WebAssembly.Memory): WebAssembly.Module {
  return isShared(memory) ? sharedModule : module;
}
