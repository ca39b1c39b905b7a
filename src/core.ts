/**
 * The WebAssembly backend: kernels over a memory. As `rmsprop-wasm/core` it is also the raw layer for callers whose
 * tensors live in the memory of a WebAssembly module of their own. The errors that it throws are those of
 * `rmsprop-wasm`.
 *
 * @module rmsprop-wasm/core
 */
import { instantiateSync } from "@assemblyscript/loader";
import { show } from "./base/show.ts";
import { BackendError, MemoryError, OptionError } from "./errors.ts";
import { CENTERED, type Kernel, MOMENTUM } from "./kernel/contract.ts";
import { compileFor } from "./kernel/module.ts";
import { checkRange } from "./memory/arena.ts";
import { type CoreOptions, learningRateAt, resolveCoreOptions } from "./options/options.ts";
import { scalarsOf } from "./options/scalars.ts";

/** The exports of `assembly/index.ts`. */
interface Exports extends Record<string, unknown> {
  /** Takes the arguments that `argumentsOf` gives. */
  update(...args: number[]): void;
  sumOfSquares(grad: number, count: number): number;
}

/**
 * Binds the WebAssembly kernels to a memory. Throws `BackendError` where the engine or the page forbids it.
 *
 * @internal
 */
export function openWasm(memory: WebAssembly.Memory): Kernel {
  let exports: Exports;
  try {
    // The instance's own exports, not the loader's: those are wrapped, which takes longer than a small update.
    exports = instantiateSync<Exports>(compileFor(memory), { env: { memory } }).instance.exports as Exports;
  } catch (cause) {
    throw new BackendError(
      `WebAssembly SIMD can't be used here: ${cause}. Leave out \`backend\` to run on JavaScript instead.`,
      { cause },
    );
  }
  const { update, sumOfSquares } = exports;
  return {
    backend: "wasm",
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
      );
    },
    sumOfSquares,
  };
}

export type { CoreHyperparameters, CoreOptions, Schedule } from "./options/options.ts";

/** Where one tensor and its state lie: byte offsets, multiples of 4, in planes that don't overlap. */
export interface Tensor {
  /** The parameter, which an update changes. */
  param: number;
  /** Its gradient, which an update reads, and clears with `zeroGrad`. */
  grad: number;
  /** Running average of the squared gradient; zeros before the first update. */
  squareAvg: number;
  /** Needed with `momentum`; zeros before the first update. */
  momentumBuffer?: number;
  /** Running average of the gradient, needed with `centered`; zeros before the first update. */
  gradAvg?: number;
  /** Elements (float32) in each plane. */
  count: number;
}

/** The kernels, bound to one memory. */
export interface Core {
  /**
   * Updates `param` and its state in place from `grad`, by the written order in the README.
   *
   * @throws OptionError for a hyperparameter out of range, or one whose state has no address.
   * @throws MemoryError for an address that is misaligned, outside the memory, or in another plane.
   */
  update(tensor: Tensor, options?: CoreOptions): void;
  /**
   * The sum of the squares of a gradient, in double and in an order that depends on nothing but `count`. Its root is the
   * L2 norm, to clip by with `gradScale`; it is finite just when every element is.
   *
   * @throws MemoryError for an address that is misaligned or outside the memory.
   */
  sumOfSquares(gradient: { grad: number; count: number }): number;
}

/**
 * Binds the kernels to any memory, shared or not: your own, or another module's. They keep nothing in it.
 *
 * @throws BackendError where the engine has no WebAssembly SIMD or the page forbids WebAssembly.
 * @example
 * ```ts
 * import { instantiate } from "rmsprop-wasm/core";
 *
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const { update, sumOfSquares } = instantiate(memory);
 * const count = 4;
 * const param = new Float32Array(memory.buffer, 1024, count);
 * const grad = new Float32Array(memory.buffer, 2048, count);
 * grad.fill(2);
 * const clipped = 1 / Math.sqrt(sumOfSquares({ grad: 2048, count })); // to a norm of 1
 * clipped; // → 0.25
 * update({ param: 1024, grad: 2048, squareAvg: 3072, count }, { lr: 0.5, alpha: 0.75, eps: 1 });
 * param; // → [-0.5, -0.5, -0.5, -0.5]
 * ```
 */
export function instantiate(memory: WebAssembly.Memory): Core {
  const kernel = openWasm(memory);
  return {
    update(tensor, options = {}) {
      const resolved = resolveCoreOptions(options);
      const { step, gradScale, zeroGrad } = resolved;
      const lr = learningRateAt(resolved.lr, step);
      const scalars = scalarsOf(resolved, lr, { step, gradScale, zeroGrad, emaDecay: undefined });
      const { variant } = scalars;
      const { param, grad, squareAvg, momentumBuffer = 0, gradAvg = 0, count } = tensor;
      const names = ["param", "grad", "squareAvg"];
      const ptrs: unknown[] = [param, grad, squareAvg];
      if (variant & MOMENTUM) ptrs[names.push("momentumBuffer") - 1] = tensor.momentumBuffer;
      if (variant & CENTERED) ptrs[names.push("gradAvg") - 1] = tensor.gradAvg;
      checkPlanes(names, ptrs, count, memory);
      kernel.update({ param, grad, squareAvg, momentumBuffer, gradAvg, ema: 0, count }, scalars);
    },
    sumOfSquares({ grad, count }) {
      checkPlanes(["grad"], [grad], count, memory);
      return kernel.sumOfSquares(grad, count);
    },
  };
}

/** Checks that the planes lie in the memory, apart from each other. */
function checkPlanes(
  names: readonly string[],
  ptrs: readonly unknown[],
  count: number,
  memory: WebAssembly.Memory,
): void {
  if (!Number.isInteger(count) || count < 0) {
    throw new MemoryError(`count: got ${show(count)}, expected a whole number of elements.`);
  }
  const memoryBytes = memory.buffer.byteLength;
  const byteLength = count * 4;
  ptrs.forEach((ptr, i) => {
    if (ptr === undefined) {
      throw new OptionError(`${names[i]}: got undefined; these hyperparameters need its byte offset.`);
    }
    checkRange(names[i]!, ptr, byteLength, memoryBytes);
    const overlapped = ptrs.findIndex(
      (other, j) => j < i && Math.abs((ptr as number) - (other as number)) < byteLength,
    );
    if (overlapped >= 0) {
      throw new MemoryError(
        `${names[i]} at byte ${ptr} overlaps ${names[overlapped]} at byte ${ptrs[overlapped]}: each takes ${byteLength} bytes.`,
      );
    }
  });
}
