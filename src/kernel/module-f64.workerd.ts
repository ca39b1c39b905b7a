/** Takes the place of `module-f64.ts` as `module.workerd.ts` does that of `module.ts`. */
import { FLOAT64 } from "../base/real.ts";
import { isShared } from "../memory/layout.ts";
import module from "./f64.wasm?module";
import sharedModule from "./f64-shared.wasm?module";
import type { Kernels } from "./wasm.ts";

export const KERNELS: Kernels<Float64Array> = {
  real: FLOAT64,
  compileFor: (memory) => (isShared(memory) ? sharedModule : module),
};
