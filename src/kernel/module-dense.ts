/** The kernels of float32 for whole tensors alone: of the same binary, a quarter less of a bundle that steps by no rows. */
import { FLOAT32 } from "../base/real.ts";
import { kernelsOf } from "./compile.ts";
import { wasmHex } from "./wasm-dense.generated.ts";

export const DENSE_KERNELS = /* @__PURE__ */ kernelsOf(FLOAT32, wasmHex);
