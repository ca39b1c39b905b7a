/**
 * Optimizers in safetensors files: to stop here, go on elsewhere, in PyTorch or Keras, and come back. The errors that it
 * throws are those of `rmsprop-wasm`.
 *
 * @module rmsprop-wasm/checkpoint
 */
import { checkIsPlain } from "./base/rules.ts";
import {
  type AnyOptimizer,
  carriedBy,
  carriedSources,
  carry,
  checkIsClass,
  checkIsOptimizer,
} from "./checkpoint/carried.ts";
import { apart, type Bytes, type Chunks, feed } from "./checkpoint/chunks.ts";
import {
  annotate,
  annotated,
  annotationsOf,
  declaredIn,
  flattenedKey,
  stateTest,
} from "./checkpoint/flattened.ts";
import { findParts, partsOf, sourcesOf, stateFrom } from "./checkpoint/keys.ts";
import { carriedIn, Loader, type Make } from "./checkpoint/loader.ts";
import { isBehind, refuseOtherSteps } from "./checkpoint/missed-rows.ts";
import {
  bytesIn,
  bytesOf,
  checkLength,
  concatenated,
  type FileParts,
  fileParts,
  headerLength,
  LENGTH_BYTES,
  openFile,
  parseHeader,
} from "./checkpoint/safetensors.ts";
import { CheckpointError } from "./errors.ts";
import { RMSprop } from "./index.ts";
import type { ParamGroup, Shape } from "./optimizer/params.ts";
import type { Options } from "./options/options.ts";

/** An optimizer of the main entry that came from a file, with the file's names. */
export type Loaded<Name extends string> = RMSprop<Readonly<Record<Name, Shape>>>;

/** A class of optimizers to load into: `RMSprop` of this package's entries. */
export type OptimizerClass<Made extends AnyOptimizer> = new (
  params: readonly ParamGroup<never>[],
  options: Options,
) => Made;

function makerOf<Made extends AnyOptimizer>(type: OptimizerClass<Made>): Make<Made> {
  return (params, options) => new type(params as readonly ParamGroup<never>[], options);
}

/** Whether a rate is a schedule, which no file holds. */
function isScheduled(optimizer: AnyOptimizer): boolean {
  return optimizer.parts().groups.some(({ hyperparameters }) => typeof hyperparameters.lr === "function");
}

/** The parts of an optimizer's file; its tensors are views of the optimizer's memory, not copies. */
function describe(optimizer: AnyOptimizer): FileParts {
  const dict = optimizer.stateViews();
  const parts = partsOf(dict.groups, dict.options);
  const carried = carriedBy(optimizer);
  const sources = [...sourcesOf(dict, parts, flattenedKey), ...carriedSources(carried)];
  return fileParts(sources, annotate(dict, isScheduled(optimizer), carried));
}

/**
 * Gives the bytes of a safetensors file that holds the whole optimizer: parameters, state, steps, groups and
 * hyperparameters, but no gradients. The bytes are a copy, made in one allocation.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { load, save } from "rmsprop-wasm/checkpoint";
 *
 * const optimizer = new RMSprop({ w: [2] }, { lr: 0.5, alpha: 0.75, eps: 1 });
 * optimizer.grads.w.fill(2);
 * optimizer.step();
 * const bytes = save(optimizer); // to be written to a disk, sent, kept in IndexedDB
 * load(bytes).steps; // → 1
 * ```
 *
 * @throws CheckpointError for names that make two keys alike.
 * @throws MemoryError when there's no array of that size: `saveChunks` needs none.
 * @throws SwappedError while the averages stand in for the parameters.
 */
export function save(optimizer: AnyOptimizer): Bytes;
export function save(optimizer: AnyOptimizer, ...others: unknown[]): Bytes {
  checkIsOptimizer(optimizer, "save", others, "write its bytes, by writeFileAtomic(path, save(optimizer))");
  return concatenated(describe(optimizer));
}

/** The size of the pieces of `saveChunks` and `loadChunks`, a multiple of every element's size. */
const CHUNK_BYTES = 2 ** 20;

/**
 * Gives the bytes of `save` in pieces of at most a mebibyte, each a copy: for optimizers that are too large for a second
 * copy in memory. The optimizer must not change before the last piece.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { save, saveChunks } from "rmsprop-wasm/checkpoint";
 *
 * const optimizer = new RMSprop({ w: [500_000] });
 * let byteLength = 0;
 * for (const chunk of saveChunks(optimizer)) byteLength += chunk.length; // or write it
 * byteLength === save(optimizer).length; // → true
 * ```
 *
 * @throws CheckpointError when the optimizer changed, or its memory grew, between two pieces.
 */
export function saveChunks(optimizer: AnyOptimizer): Generator<Bytes, void>;
export function* saveChunks(optimizer: AnyOptimizer, ...others: unknown[]): Generator<Bytes, void> {
  checkIsOptimizer(optimizer, "saveChunks", others);
  const parts = describe(optimizer).map((values) => ({ values, byteLength: values.byteLength }));
  const { changes } = optimizer.parts().progress;
  for (const { values, byteLength } of parts) {
    for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
      if (optimizer.parts().progress.changes !== changes || values.byteLength !== byteLength) {
        throw new CheckpointError(
          "The optimizer took a step or another state, or its memory grew, before the file was complete: save again.",
        );
      }
      yield bytesOf(values).slice(at, at + CHUNK_BYTES) as Bytes;
    }
  }
}

/**
 * Makes an optimizer of the main entry from a file: one of `save`, or another with keys of PyTorch's flattened state. Its
 * tensors may be F32, F64, F16 or BF16, and become float32: each number is rounded once, and one that no float32 can hold is
 * an error. With `RMSprop` of `rmsprop-wasm/f64` as `type`, doubles stay as they are.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { load, save } from "rmsprop-wasm/checkpoint";
 *
 * const bytes = save(new RMSprop({ w: new Float32Array([3, 4]) }, { momentum: 0.9 }));
 * const optimizer = load(bytes, { lr: 1e-4 });
 * optimizer.params.w; // → [3, 4]
 * optimizer.groups[0].momentum; // → 0.9
 * optimizer.groups[0].lr; // → 0.0001
 * ```
 *
 * @typeParam Name The names of the tensors, as `load<"w" | "b">(bytes)`: any, by default.
 * @param file The file's bytes.
 * @param options Options that replace the file's, for all groups. A hyperparameter that neither gives has the
 * constructor's default.
 * @throws CheckpointError for a file that is malformed, or has doubles that the optimizer can't hold.
 * @throws OptionError for hyperparameters out of range; and when the learning rate was a function, which a file can't
 * hold, and `options.lr` doesn't say what it is to be.
 */
export function load<Name extends string = string>(
  file: Uint8Array | ArrayBufferLike,
  options?: Options,
): Loaded<Name>;
/**
 * Does the same with another class.
 *
 * @param type The class to make an optimizer of: by default the main entry's `RMSprop`.
 * @throws ParameterError for what is no class of optimizers.
 */
export function load<Made extends AnyOptimizer>(
  file: Uint8Array | ArrayBufferLike,
  options: Options,
  type: OptimizerClass<Made>,
): Made;
export function load(
  file: Uint8Array | ArrayBufferLike,
  options: Options = {},
  type: OptimizerClass<AnyOptimizer> = RMSprop,
  other?: unknown,
): AnyOptimizer {
  checkIsPlain(options);
  checkIsClass(type, "load", other);
  const { bytes, header } = openFile(file);
  const source = apart(bytes, options.memory);
  const loader = new Loader(header, options, makerOf(type));
  try {
    for (const entry of header.entries) loader.take(entry, bytesIn(source, entry));
    return loader.finish();
  } catch (error) {
    loader.abandon();
    throw error;
  }
}

/**
 * Does what `load` does with a file that arrives in pieces: the stream of a file or of a response. Beside the optimizer,
 * memory holds a mebibyte of the file at a time.
 *
 * A stream doesn't announce its length, so the header decides how much memory the optimizer gets.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { loadChunks, saveChunks } from "rmsprop-wasm/checkpoint";
 *
 * // In Node: loadChunks(createReadStream(path)); in a browser: loadChunks((await fetch(url)).body).
 * const optimizer = await loadChunks(saveChunks(new RMSprop({ w: new Float32Array([3, 4]) })));
 * optimizer.params.w; // → [3, 4]
 * ```
 *
 * @throws CheckpointError, OptionError as `load` does, and whatever the stream throws.
 */
export async function loadChunks<Name extends string = string>(
  chunks: Chunks,
  options?: Options,
): Promise<Loaded<Name>>;
/** Does the same with another class. */
export async function loadChunks<Made extends AnyOptimizer>(
  chunks: Chunks,
  options: Options,
  type: OptimizerClass<Made>,
): Promise<Made>;
export async function loadChunks(
  chunks: Chunks,
  options: Options = {},
  type: OptimizerClass<AnyOptimizer> = RMSprop,
  other?: unknown,
): Promise<AnyOptimizer> {
  checkIsPlain(options);
  checkIsClass(type, "loadChunks", other);
  return feed(reading(options, type), chunks, options.memory);
}

/** Reads a file from its begin to its end: it yields how many bytes it wants next, and gets fewer where the file ends. */
function* reading<Made extends AnyOptimizer>(
  options: Options,
  type: OptimizerClass<Made>,
): Generator<number, Made, Uint8Array> {
  const length = headerLength(yield LENGTH_BYTES);
  const header = parseHeader(yield length, length);
  const loader = new Loader(header, options, makerOf(type));
  let position = LENGTH_BYTES + length;
  let isComplete = false;
  try {
    for (const entry of header.entries) {
      for (let at = entry.begin; at < entry.end; at += CHUNK_BYTES) {
        const count = Math.min(CHUNK_BYTES, entry.end - at);
        const bytes = yield count;
        position += bytes.length;
        if (bytes.length < count) checkLength(header, position);
        loader.take(entry, bytes, at - entry.begin);
      }
    }
    checkLength(header, position + (yield 1).length);
    const loaded = loader.finish();
    isComplete = true;
    return loaded;
  } finally {
    if (!isComplete) loader.abandon();
  }
}

/**
 * Fills an optimizer from a file, by names and shapes: all of it or nothing. The file's hyperparameters hold from the next
 * step on. Three things stay as they are: a schedule of `lr`, which goes on at the file's step; the constructor's own
 * options `globalClipNorm`, `nonFinite`, `ema` and `scheduleFree`; and the gradients.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { restore, save } from "rmsprop-wasm/checkpoint";
 *
 * const optimizer = new RMSprop({ w: [1] }, { lr: 0.5, alpha: 0.75, eps: 1 });
 * const before = save(optimizer);
 * optimizer.grads.w.fill(2);
 * optimizer.step();
 * optimizer.params.w; // → [-0.5]
 * restore(optimizer, before);
 * optimizer.params.w; // → [0]
 * optimizer.steps; // → 0
 * ```
 *
 * @throws CheckpointError for a file that is malformed, or of another optimizer.
 * @throws OptionError for hyperparameters out of range.
 * @throws MemoryError when its momentum or gradient averages need room that isn't there.
 * @throws SwappedError while the averages stand in for the parameters.
 */
export function restore(optimizer: AnyOptimizer, file: Uint8Array | ArrayBufferLike): void;
export function restore(optimizer: AnyOptimizer, file: Uint8Array | ArrayBufferLike, other?: unknown): void {
  checkIsOptimizer(optimizer, "restore", [other], "assign options after it, as optimizer.lr = 1e-3");
  const own = optimizer.stateViews();
  const { bytes, header } = openFile(file);
  const annotations = annotationsOf(header);
  const { groups, keys } = annotated(own.groups, annotations);
  const parts = partsOf(groups, own.options);
  const findings = findParts(header, parts, flattenedKey, declaredIn(annotations));
  const isOurs = annotations.own !== undefined;
  const isState = isOurs ? () => false : stateTest(header);
  const tensors = carriedIn(
    bytes,
    findings.others.filter(({ name }) => !isState(name)),
  );
  const dict = stateFrom([{ bytes, findings }], groups, isOurs);
  const { skippedSteps = 0, learned = isOurs ? undefined : own.learned } = annotations.own ?? {};
  refuseOtherSteps(
    { ...annotations.own?.options, groups, isScheduled: annotations.own?.isScheduled ?? false },
    { ...own.options, groups, isScheduled: isScheduled(optimizer) },
    (name) => isBehind(dict.tensors[name]!.rowSteps, dict.steps),
  );
  optimizer.loadStateDict({ version: 1, skippedSteps, learned, ...dict });
  carry(optimizer, { tensors, keys });
}

export { writeFileAtomic } from "./checkpoint/atomic-write.ts";
export { type AnyOptimizer, type CarriedTensor, carriedTensors } from "./checkpoint/carried.ts";
export type { Bytes, ChunkReader, Chunks, ReadableChunks, ReadResult } from "./checkpoint/chunks.ts";
export { type LeRobotFiles, restoreLeRobot, saveLeRobot } from "./checkpoint/lerobot.ts";
