/** The kernels of float64. */
import { FLOAT64 } from "../base/real.ts";
import { kernelsOf } from "./compile.ts";
import { wasmHex } from "./wasm-f64.generated.ts";

export const KERNELS = /* @__PURE__ */ kernelsOf(FLOAT64, wasmHex);
