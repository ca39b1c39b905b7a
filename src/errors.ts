/**
 * The root of every error that this library throws on purpose. A call that throws one has changed nothing, except with
 * `ThreadError`. All entries share these classes, and `error.name` holds the class's name.
 *
 * @example
 * ```ts
 * import { RMSprop, RMSpropError } from "rmsprop-wasm";
 *
 * try {
 *   new RMSprop({ w: [2] }, { lr: -1 });
 * } catch (error) {
 *   error instanceof RMSpropError; // → true
 *   error.message; // → "Option lr: got -1, expected a number from 0 up, finite, a function of the step that gives one, or \"auto\" in the constructor's options (default 0.01)."
 * }
 * ```
 */
export class RMSpropError extends Error {
  /** The name of the class. Each class spells its own, since a user's minifier may rename the classes. */
  override readonly name: string = "RMSpropError";

  /** @internal */
  constructor(message: string, options?: ErrorOptions) {
    // Names come from files and may be long: the end, which says what to do, stays.
    super(message.length > 900 ? `${message.slice(0, 600)} … ${message.slice(-250)}` : message, options);
  }
}

/** An option that doesn't exist, or a value that its option doesn't take. */
export class OptionError extends RMSpropError {
  override readonly name = "OptionError";
}

/** A parameter whose name, shape or initial values can't be used. */
export class ParameterError extends RMSpropError {
  override readonly name = "ParameterError";
}

/** A memory that can't grow as far as needed, or an address that is misaligned, outside the memory or taken. */
export class MemoryError extends RMSpropError {
  override readonly name = "MemoryError";
}

/** A gradient view that died when the memory grew: writes to it since then are lost. */
export class StaleViewError extends RMSpropError {
  override readonly name = "StaleViewError";
}

/** A gradient that isn't finite, with `nonFinite: "throw"`. */
export class NonFiniteError extends RMSpropError {
  override readonly name = "NonFiniteError";

  /** @internal */
  static of(names: readonly string[]): NonFiniteError {
    const whose =
      names.length > 0 ? `The gradients of ${names.join(", ")}` : "By their gradNorm, the gradients";
    return new NonFiniteError(
      `${whose} hold a NaN or an infinity. Nothing was changed; see to the loss, or set nonFinite to "skip".`,
    );
  }
}

/** A step while the averages of the weights stand in for the parameters. */
export class SwappedError extends RMSpropError {
  override readonly name = "SwappedError";
}

/** A checkpoint or state dict that is malformed, or that doesn't fit the optimizer. */
export class CheckpointError extends RMSpropError {
  override readonly name = "CheckpointError";
}

/** A backend that this engine or page doesn't allow. `cause` is the engine's own error. */
export class BackendError extends RMSpropError {
  override readonly name = "BackendError";
}

/** A call on an optimizer after `dispose()`. */
export class DisposedError extends RMSpropError {
  override readonly name = "DisposedError";
}

/** Elements of a tensor of which nobody knows whether a step has updated them. */
export interface LostElements {
  /** The index of the tensor's group. */
  readonly group: number;
  /** The tensor's name. */
  readonly name: string;
  /** The first of the elements. */
  readonly start: number;
  /** The element after the last one. */
  readonly end: number;
}

/**
 * A worker that ended, or stood still for seconds, in the middle of a step. The one error after which something has
 * changed: the step is taken and counted, but of the elements in `lost` nobody knows whether they are updated, and the
 * worker may still be writing to them. To repair them, make a new optimizer of the last checkpoint; or wait for `ready`, and
 * restore it. Until that worker has left, all that would step, read or restore the tensors throws this error too, with no
 * elements in `lost`, and changes nothing. Later steps run on the threads that are left.
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
 *   await optimizer.ready; // no worker writes any more
 *   // Restore the last checkpoint here, and go on.
 * }
 * ```
 */
export class ThreadError extends RMSpropError {
  override readonly name = "ThreadError";

  constructor(
    message: string,
    /** Byte offset of the first of those parameters in the memory. */
    readonly byteOffset = 0,
    /** Bytes from there to the end of the last of them. */
    readonly byteLength = 0,
    /** Their elements, from `start` to before `end` of a tensor, by group and name. */
    readonly lost: readonly LostElements[] = [],
  ) {
    super(message);
  }
}
