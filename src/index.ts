/**
 * The main entry: WebAssembly SIMD, which falls back to JavaScript.
 *
 * @module rmsprop-wasm
 */

import { KERNELS } from "./kernel/module.ts";
import { Attachment, type AttachOptions, type Handle } from "./optimizer/handle.ts";
import { Optimizer } from "./optimizer/optimizer.ts";
import type { ParamRecord, Params } from "./optimizer/params.ts";
import type { Options } from "./options/options.ts";
import { backendsOf } from "./threads/lazy.ts";

const BACKENDS = /* @__PURE__ */ backendsOf(KERNELS, () => import("./threads.ts"));

/**
 * RMSprop: divides each step by the root of a running average of the squared gradient. Parameters, gradients and
 * state stand in one WebAssembly memory; `params` and `grads` are views of it, and `step()` copies nothing.
 *
 * The defaults are PyTorch's. With them, the first step moves each parameter by `lr / sqrt(1 - alpha)`, ten times `lr`:
 * the average starts at 0 and has seen one gradient. Source of the formula: Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine
 * Learning" (2012); `centered` is from Graves, "Generating Sequences With Recurrent Neural Networks" (2013).
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * const optimizer = new RMSprop({ w: [2, 3], b: new Float32Array([1]) }, { lr: 0.5, alpha: 0.75, eps: 1 });
 * const { params, grads } = optimizer;
 * grads.w.fill(2); // 2 · 3 elements
 * optimizer.step(); // → true
 * params.w; // → [-0.5, -0.5, -0.5, -0.5, -0.5, -0.5]
 * params.b; // → [1]
 * ```
 */
export class RMSprop<const P extends Params = ParamRecord> extends Optimizer<P> {
  /**
   * @param params Tensors by name, each a shape as `[784, 128]` (zero-filled), or initial values, copied in once: rows as
   * `[[0.1, 0.2], [0.3, 0.4]]`, `{ shape, values }`, a `Float32Array` or `Float64Array`; or groups of them with
   * hyperparameters of their own, as `[{ params: { w: [784, 128] }, lr: 1e-3 }, …]`.
   * @param options Hyperparameters for all groups, and what concerns the optimizer as a whole. Each has a default.
   * @throws ParameterError for a name, shape or array that can't be used.
   * @throws OptionError for an unknown option or a value out of range.
   * @throws MemoryError when parameters and state don't fit a memory.
   * @throws BackendError when this engine or page doesn't allow `options.backend`.
   */
  constructor(params: P, options?: Options);
  constructor(params: P, options: Options = {}, other?: unknown) {
    super(params, options, BACKENDS, other);
  }

  /**
   * Makes a second optimizer on the tensors of another thread's, from that one's `handle`: the same parameters,
   * gradients, averages and count of steps, in the same memory. It may step, all or a share; while it does, no other
   * thread may step the same elements. Hyperparameters are those of the moment when the handle was made, and each
   * optimizer's own from then on.
   *
   * @param handle The other optimizer's `handle`, posted here.
   * @param options `lr`, for groups whose learning rate is a schedule.
   * @returns the second optimizer; its memory lives as long as either does.
   * @throws ParameterError for anything but a handle, and for one of another version of this library.
   * @throws OptionError if the learning rate is a schedule and `options.lr` is missing.
   * @example
   * ```ts
   * import { RMSprop } from "rmsprop-wasm";
   *
   * using optimizer = new RMSprop({ w: [2] }, { threads: 2 });
   * const { handle } = optimizer; // post it to a worker, and there:
   * const theirs = RMSprop.attach(handle);
   * theirs.step(); // → true
   * optimizer.steps; // → 1
   * ```
   */
  static attach<const P extends Params = ParamRecord>(handle: Handle, options?: AttachOptions): RMSprop<P>;
  static attach(handle: Handle, options: AttachOptions = {}, other?: unknown): RMSprop {
    return attached(new Attachment(handle, options, KERNELS.real, other));
  }
}

/** Outside of the class: bundlers rename one that names itself, and consoles show its name. */
function attached<const P extends Params>(attachment: Attachment): RMSprop<P> {
  return new RMSprop<P>(attachment as never);
}

export * from "./errors.ts";
export * from "./optimizer/exports.ts";
