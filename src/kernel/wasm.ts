/** The WebAssembly backend: the compiled kernels, bound to a memory. */
import { instantiateSync } from "@assemblyscript/loader";
import type { FloatArray, Real } from "../base/real.ts";
import { BackendError } from "../errors.ts";
import { type Kernel, rowArgumentsOf } from "./contract.ts";

/** The exports of `assembly/index.ts`. */
interface Exports extends Record<string, unknown> {
  /** Takes the arguments that `argumentsOf` gives. */
  update(...args: number[]): void;
  /** Takes the arguments that `rowArgumentsOf` gives. */
  updateRows(...args: number[]): void;
  sumOfSquares: Kernel["sumOfSquares"];
  innerProduct: Kernel["innerProduct"];
}

/** The compiled kernels for elements of one type. */
export interface Kernels<Elements extends FloatArray = FloatArray> {
  readonly real: Real<Elements>;
  /** The kernels as a module that imports a memory such as this one. */
  compileFor(memory: WebAssembly.Memory): WebAssembly.Module;
}

/** The kernels that work on whole tensors, which are all that some programs take. */
export type DenseKernel = Pick<Kernel, "update" | "sumOfSquares">;

/**
 * Binds the WebAssembly kernels to a memory. Throws `BackendError` where the engine or the page forbids it.
 *
 * @internal
 */
export function openWasm(memory: WebAssembly.Memory, kernels: Kernels): Kernel {
  let exports: Exports;
  try {
    exports = instantiate(memory, kernels);
  } catch (cause) {
    throw new BackendError(
      `WebAssembly SIMD can't be used here: ${cause}. Leave out \`backend\` to run on JavaScript instead.`,
      { cause },
    );
  }
  const { updateRows, innerProduct } = exports;
  return {
    backend: "wasm",
    real: kernels.real,
    ...denseOf(exports),
    updateRows: (segment, scalars, rows) => updateRows(...rowArgumentsOf(segment, scalars, rows)),
    innerProduct,
  };
}

/** Binds the kernels of whole tensors, of a binary that may have no others. Throws the engine's own error. */
export function openDense(memory: WebAssembly.Memory, kernels: Kernels): DenseKernel {
  return denseOf(instantiate(memory, kernels));
}

function instantiate(memory: WebAssembly.Memory, { compileFor }: Kernels): Exports {
  // The instance's own exports, not the loader's: those are wrapped, which takes longer than a small update.
  return instantiateSync<Exports>(compileFor(memory), { env: { memory } }).instance.exports as Exports;
}

function denseOf({ update, sumOfSquares }: Exports): DenseKernel {
  return {
    sumOfSquares,
    update(segment, scalars) {
      // The order of `argumentsOf`, which a test compares.
      update(
        scalars.variant,
        segment.param,
        segment.grad,
        segment.squareAvg,
        segment.momentumBuffer,
        segment.gradAvg,
        segment.ema,
        segment.z,
        segment.moved,
        segment.count,
        scalars.alpha,
        scalars.oneMinusAlpha,
        scalars.epsInside,
        scalars.eps,
        scalars.updateScale,
        scalars.momentum,
        scalars.bufferScale,
        scalars.gradScale,
        scalars.clipValue,
        scalars.decoupledDecay,
        scalars.weightDecay,
        scalars.correction,
        scalars.emaWeight,
        scalars.zShare,
        scalars.stepShare,
        scalars.growth,
      );
    },
  };
}
