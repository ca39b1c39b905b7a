/**
 * The root of every error that this library throws on purpose. A call that throws one has changed nothing; the one
 * exception is `ThreadError`.
 *
 * @example
 * ```ts
 * import { RMSprop, RMSpropError } from "rmsprop-wasm";
 *
 * try {
 *   new RMSprop({ w: [2] }, { lr: -1 });
 * } catch (error) {
 *   error instanceof RMSpropError; // → true
 *   error.message; // → "Option lr: got -1, expected a number from 0 up, finite, or a function of the step that gives one (default 0.01)."
 * }
 * ```
 */
export class RMSpropError extends Error {
  /** The name of the class. Each class spells its own, since a user's minifier may rename the classes. */
  override readonly name: string = "RMSpropError";
}

/**
 * An option that doesn't exist, or a value that its option doesn't take.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * try {
 *   new RMSprop({ w: [2] }, { lr: -1 });
 * } catch (error) {
 *   error.name; // → "OptionError"
 * }
 * ```
 */
export class OptionError extends RMSpropError {
  override readonly name = "OptionError";
}

/**
 * A parameter whose name, shape or initial values can't be used.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * try {
 *   new RMSprop({ w: [2, 0] });
 * } catch (error) {
 *   error.name; // → "ParameterError"
 * }
 * ```
 */
export class ParameterError extends RMSpropError {
  override readonly name = "ParameterError";
}

/**
 * A memory that can't grow as far as needed, or an address that is misaligned, outside the memory or taken.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * try {
 *   new RMSprop({ w: [2 ** 20, 2 ** 20] });
 * } catch (error) {
 *   error.name; // → "MemoryError"
 * }
 * ```
 */
export class MemoryError extends RMSpropError {
  override readonly name = "MemoryError";
}

/**
 * A gradient view that died when the memory grew: writes to it since then are lost.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * const optimizer = new RMSprop({ w: [2] });
 * optimizer.grads.w.fill(1);
 * optimizer.memory.grow(1);
 * try {
 *   optimizer.step();
 * } catch (error) {
 *   error.name; // → "StaleViewError"
 * }
 * ```
 */
export class StaleViewError extends RMSpropError {
  override readonly name = "StaleViewError";
}

/**
 * A gradient that isn't finite, with `nonFinite: "throw"`.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * const optimizer = new RMSprop({ w: [2] }, { nonFinite: "throw" });
 * optimizer.grads.w[0] = NaN;
 * try {
 *   optimizer.step();
 * } catch (error) {
 *   error.name; // → "NonFiniteError"
 * }
 * ```
 */
export class NonFiniteError extends RMSpropError {
  override readonly name = "NonFiniteError";

  /** @internal */
  static of(names: readonly string[]): NonFiniteError {
    return new NonFiniteError(
      `The gradients of ${names.join(", ")} hold a NaN or an infinity. Nothing was changed; see to the loss, or set nonFinite to "skip".`,
    );
  }
}

/**
 * A step while the averages of the weights stand in for the parameters.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * const optimizer = new RMSprop({ w: [2] }, { ema: { decay: 0.999 } });
 * optimizer.swapEma();
 * try {
 *   optimizer.step();
 * } catch (error) {
 *   error.name; // → "SwappedError"
 * }
 * ```
 */
export class SwappedError extends RMSpropError {
  override readonly name = "SwappedError";
}

/**
 * A checkpoint or state dict that is malformed, or that doesn't fit the optimizer.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * const optimizer = new RMSprop({ w: [2] });
 * try {
 *   optimizer.loadStateDict(new RMSprop({ w: [3] }).stateDict());
 * } catch (error) {
 *   error.name; // → "CheckpointError"
 *   error.message; // → "w.shape of the state: got [3], expected [2]. Make the optimizer as the saved one was."
 * }
 * ```
 */
export class CheckpointError extends RMSpropError {
  override readonly name = "CheckpointError";
}

/**
 * A backend that this engine or page doesn't allow. `cause` is the engine's own error.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm/js";
 *
 * try {
 *   new RMSprop({ w: [2] }, { backend: "wasm" });
 * } catch (error) {
 *   error.name; // → "BackendError"
 * }
 * ```
 */
export class BackendError extends RMSpropError {
  override readonly name = "BackendError";
}

/**
 * A call on an optimizer after `dispose()`.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 *
 * const optimizer = new RMSprop({ w: [2] });
 * optimizer.dispose();
 * try {
 *   optimizer.step();
 * } catch (error) {
 *   error.name; // → "DisposedError"
 * }
 * ```
 */
export class DisposedError extends RMSpropError {
  override readonly name = "DisposedError";
}

/**
 * A worker that ended, or stopped for seconds, in the middle of an update. It is the one error after which something has
 * changed: the elements at `byteOffset` are in an unknown state, all others may be updated. Load a checkpoint; later
 * steps run on the threads that are left.
 *
 * @example
 * ```ts
 * import { RMSprop, ThreadError } from "rmsprop-wasm";
 *
 * using optimizer = new RMSprop({ w: [2] }, { threads: 2 });
 * try {
 *   optimizer.step(); // → true
 * } catch (error) {
 *   if (!(error instanceof ThreadError)) throw error;
 *   // Load the last checkpoint here, and go on.
 * }
 * ```
 */
export class ThreadError extends RMSpropError {
  override readonly name = "ThreadError";

  constructor(
    message: string,
    /** Byte offset in the memory of the parameters in an unknown state. */
    readonly byteOffset: number,
    /** Number of bytes of those parameters. */
    readonly byteLength: number,
  ) {
    super(message);
  }
}
