/**
 * The kernels of float32 for whole tensors alone, out of the same binary, for entries that neither step by rows nor learn a
 * rate: the other kernels made the drop-in's entry heavier by a tenth.
 */
import { FLOAT32 } from "../base/real.ts";
import { kernelsOf } from "./compile.ts";
import { wasmHex } from "./wasm-dense.generated.ts";

export const DENSE_KERNELS = /* @__PURE__ */ kernelsOf(FLOAT32, wasmHex);
