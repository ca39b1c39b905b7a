/**
 * The parts of a file that the optimizer has no use for, kept for the way back: batch norm's buffers, frozen layers, keys
 * that schedulers put into PyTorch's groups. They are kept beside the optimizer, so that the main entry has nothing of it.
 */

import type { FloatArray } from "../base/real.ts";
import { refuseSurplus } from "../base/rules.ts";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import type { Params, Shape } from "../optimizer/params.ts";
import type { Bytes } from "./chunks.ts";
import type { Entry } from "./entry.ts";
import type { Source } from "./safetensors.ts";

/** An optimizer of any entry, over elements of either type. */
export type AnyOptimizer = Optimizer<Params<FloatArray>, FloatArray>;

/**
 * Checks the arguments of a function that takes an optimizer.
 *
 * @param name The function's.
 * @param others Arguments behind all that it takes, and `instead` what to do with them.
 */
export function checkIsOptimizer(
  optimizer: AnyOptimizer,
  name: string,
  others: readonly unknown[],
  instead?: string,
): void {
  refuseOther(optimizer, optimizer, name, "an optimizer, as new RMSprop(params) makes one");
  refuseSurplus(name, others, instead);
}

/** Checks the arguments behind the options of a function that makes an optimizer. A class of another copy of this package will do. */
export function checkIsClass(type: { readonly prototype: AnyOptimizer }, name: string, other: unknown): void {
  refuseOther(type?.prototype, type, name, "a class of optimizers, as RMSprop of rmsprop-wasm/f64");
  refuseSurplus(name, [other]);
}

/** Refuses what lacks the methods of an optimizer. */
function refuseOther(optimizer: AnyOptimizer, given: unknown, name: string, wanted: string): void {
  if (typeof optimizer?.stateDict === "function") return;
  throw new ParameterError(`${name}: got ${show(given)}, expected ${wanted}.`);
}

/** A tensor that isn't trained here, as the file has it. */
export interface CarriedTensor {
  /** The element type by its name in safetensors files, as `"F32"` or `"I64"`. */
  readonly dtype: string;
  /** The dimensions. */
  readonly shape: Shape;
  /** The elements, little-endian. They may be written, and are saved as they are then. */
  readonly bytes: Bytes;
}

/** Carried entries by name: tensors, and parameters whose groups have more keys, each with the JSON of its value. */
export interface Carried {
  readonly tensors: ReadonlyMap<string, CarriedTensor>;
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const NOTHING: Carried = /* @__PURE__ */ (() => ({ tensors: new Map(), keys: new Map() }))();

/** Carried entries of each optimizer. The key is its `groups`, which is the same object behind a proxy, as frameworks of pages make them. */
const CARRIED = /* @__PURE__ */ new WeakMap<object, Carried>();

export function carriedBy({ groups }: AnyOptimizer): Carried {
  return CARRIED.get(groups) ?? NOTHING;
}

export function carry({ groups }: AnyOptimizer, carried: Carried): void {
  CARRIED.set(groups, carried);
}

/**
 * Gives the tensors of a file that the optimizer doesn't train, by name: batch norm's running averages and counts, frozen
 * layers, whatever else a model keeps. `load`, `restore` and the like keep them, and `save` writes them again.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { carriedTensors, load, save } from "rmsprop-wasm/checkpoint";
 *
 * const optimizer = load(save(new RMSprop({ w: [2] }))); // a file by PyTorch may hold "norm.running_mean", too
 * const mean = carriedTensors(optimizer).get("norm.running_mean");
 * mean === undefined; // → true
 * ```
 */
export function carriedTensors(optimizer: AnyOptimizer): ReadonlyMap<string, CarriedTensor>;
export function carriedTensors(
  optimizer: AnyOptimizer,
  ...others: unknown[]
): ReadonlyMap<string, CarriedTensor> {
  checkIsOptimizer(optimizer, "carriedTensors", others);
  return carriedBy(optimizer).tensors;
}

/** A carried tensor with room for its bytes, in an array of their own. */
export function roomFor({ dtype, shape, begin, end }: Entry): CarriedTensor {
  return { dtype: dtype.name, shape: [...shape], bytes: new Uint8Array(end - begin) };
}

/** The carried tensors as a file is to hold them. */
export function carriedSources({ tensors }: Carried): Source[] {
  return [...tensors].map(([name, { dtype, shape, bytes }]) => ({ name, dtype, shape, values: bytes }));
}
