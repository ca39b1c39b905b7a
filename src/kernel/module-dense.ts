/**
 * The kernels of float32 for whole tensors alone, compiled from the same sources without what the drop-in for tf.js never uses:
 * `compileDense` in scripts/build-wasm.mjs says what that saves.
 */
import { FLOAT32 } from "../base/real.ts";
import { kernelsOf } from "./compile.ts";
import { wasmHex } from "./wasm-dense.generated.ts";

export const DENSE_KERNELS = /* @__PURE__ */ kernelsOf(FLOAT32, wasmHex);
