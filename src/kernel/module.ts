/** The kernels of float32. */
import { FLOAT32 } from "../base/real.ts";
import { kernelsOf } from "./compile.ts";
import { wasmHex } from "./wasm.generated.ts";

export const KERNELS = /* @__PURE__ */ kernelsOf(FLOAT32, wasmHex);
