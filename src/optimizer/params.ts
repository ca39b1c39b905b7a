/** The constructor's first argument: names, shapes and initial values, and their checks. */

import { isPlain } from "../base/plain.ts";
import type { FloatArray, Real } from "../base/real.ts";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";
import type { Segment } from "../kernel/segment.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import {
  countOf,
  initialValuesOf,
  isArrayOf,
  isCount,
  isShape,
  type NestedValues,
  type Shape,
  type ShapedValues,
} from "./values.ts";

export type { Shape } from "./values.ts";

/** A tensor that stands in `options.memory` already, by views of it; it is updated in place. */
export interface AdoptedViews<Elements extends FloatArray = Float32Array> {
  /** The parameter, which steps change. */
  readonly param: Elements;
  /** Its gradient, with as many elements. */
  readonly grad: Elements;
  /** Its shape, for steps by rows; one dimension by default. */
  readonly shape?: Shape;
}

/**
 * A tensor that stands in `options.memory` already, by byte offsets, multiples of an element's size. Offsets survive the growth of a
 * memory, so its gradients never count as lost.
 */
export interface AdoptedOffsets {
  /** The parameter, which steps change. */
  readonly param: number;
  /** Its gradient. */
  readonly grad: number;
  /** Number of elements in each. */
  readonly count: number;
  /** Its shape, for steps by rows; one dimension by default. */
  readonly shape?: Shape;
}

/** The forms in which the constructor takes a tensor: a shape, initial values to copy, or a tensor to adopt in place. */
export type TensorSource<Elements extends FloatArray = Float32Array> =
  | Shape
  | FloatArray
  | NestedValues
  | ShapedValues
  | AdoptedViews<Elements>
  | AdoptedOffsets;

/** Tensors by name. */
export type ParamRecord<Elements extends FloatArray = Float32Array> = Readonly<
  Record<string, TensorSource<Elements>>
>;

/** Tensors with hyperparameters of their own; those left out come from the optimizer's options. */
export interface ParamGroup<Elements extends FloatArray = Float32Array> extends Partial<Hyperparameters> {
  /** Its tensors by name; names are unique over all groups. */
  readonly params: ParamRecord<Elements>;
}

/** The constructor's first argument: one record of tensors, or groups of them. */
export type Params<Elements extends FloatArray = Float32Array> =
  | ParamRecord<Elements>
  | readonly ParamGroup<Elements>[];

/** The names of all tensors in `P`, over all its groups. */
export type NameOf<P> = P extends readonly (infer Group extends ParamGroup<FloatArray>)[]
  ? Group extends unknown
    ? keyof Group["params"] & string
    : never
  : keyof P & string;

/** One tensor to make or adopt, checked. */
export interface TensorSpec {
  name: string;
  count: number;
  /** Undefined for flat arrays and adopted tensors, which were given without one. */
  shape?: Shape | undefined;
  /** Initial values; zeros if undefined. */
  values?: FloatArray;
  /** Its place in `options.memory`, if it is to stay there. */
  adopted?: AdoptedViews<FloatArray> | AdoptedOffsets;
  /** The byte offsets of an adopted tensor, once they are checked. */
  ptrs?: { readonly param: number; readonly grad: number };
  /** The places of the tensor and its state, if another optimizer has chosen them. */
  placed?: { isAdopted: boolean; segment: Segment; rowSteps: number };
}

/** A group's tensors, and its own hyperparameters, not checked yet. */
export interface ParsedGroup {
  tensors: TensorSpec[];
  overrides: Partial<Hyperparameters>;
}

/** Brings both forms of `Params` into one, a list of groups, and checks all tensors. */
export function parseParams(params: Params<FloatArray>, real: Real): ParsedGroup[] {
  if (!isGroups(params)) return [{ tensors: parseRecord(params, "params", real), overrides: {} }];
  // The names of one record are unique.
  const taken = params.length > 1 ? new Set<string>() : undefined;
  // `map` would pass over a hole, as two commas leave it.
  return Array.from(params, (group, i) => {
    if (!isPlain(group)) {
      throw new ParameterError(
        `Group ${i}: got ${show(group)}, expected { params: { … }, …hyperparameters }, a plain object.`,
      );
    }
    const { params, ...overrides } = group;
    return { tensors: parseRecord(params, `params of group ${i}`, real, taken), overrides };
  });
}

function isGroups(params: Params<FloatArray>): params is readonly ParamGroup<FloatArray>[] {
  return Array.isArray(params) && params.length > 0;
}

function parseRecord(
  record: ParamRecord<FloatArray>,
  where: string,
  real: Real,
  taken?: Set<string>,
): TensorSpec[] {
  const entries = isPlain(record) ? Object.entries(record) : [];
  if (entries.length === 0) {
    throw new ParameterError(
      `${where}: got ${show(record)}, expected a record of at least one tensor: a plain object, as { w: [784, 128] }.`,
    );
  }
  return entries.map(([name, source]) => parseTensor(name, source, real, taken));
}

function parseTensor(name: string, source: unknown, real: Real, taken?: Set<string>): TensorSpec {
  if (name === "") throw new ParameterError("A parameter's name is empty: give each a name of its own.");
  if (taken?.has(name)) {
    throw new ParameterError(
      `Parameter ${show(name)} stands in two groups: names are unique over all groups.`,
    );
  }
  taken?.add(name);

  if (isShape(source)) return { name, count: countOf(source), shape: [...source] };
  const initial = initialValuesOf(name, source, real);
  if (initial) return { name, ...initial };
  if (isAdopted(source)) return { name, ...parseAdopted(name, source, real) };
  throw new ParameterError(
    `Parameter ${show(name)}: got ${show(source)}${looksLike(name, source)}, expected ${WANTED}.`,
  );
}

const WANTED =
  "a shape of whole numbers above 0, as [784, 128]; initial values, as { shape: [2], values: [0.1, 0.2] }, [[0.1], [0.2]] or a Float32Array; or { param, grad } in options.memory";

function isAdopted(source: unknown): source is Record<string, unknown> {
  return typeof source === "object" && source !== null && ("param" in source || "grad" in source);
}

/** A word on a group outside of an array, and on arrays of numbers that can't be sizes: initial values, most probably. */
function looksLike(name: string, source: unknown): string {
  if (name === "params" && isPlain(source)) return " (groups go into an array: [{ params, lr }])";
  const areValues =
    Array.isArray(source) &&
    source.some((size) => typeof size === "number" && !(Number.isInteger(size) && size >= 0));
  return areValues
    ? ` (these look like values: pass { shape: [${(source as unknown[]).length}], values: ${show(source)} })`
    : "";
}

/** Takes two views of one length, or two offsets with a count. The arena checks that they are inside the memory. */
function parseAdopted(
  name: string,
  source: Record<string, unknown>,
  real: Real,
): Pick<TensorSpec, "count" | "adopted" | "shape"> {
  const { param, grad, count, shape, ...others } = source;
  const isKnown = Object.keys(others).length === 0;
  if (isKnown && isArrayOf(real, param) && isArrayOf(real, grad) && count === undefined) {
    if (param.length !== grad.length || param.length === 0) {
      throw new ParameterError(
        `Parameter ${show(name)}: param has ${param.length} elements and grad ${grad.length}, expected as many of both. Growing a memory empties its views.`,
      );
    }
    return { count: param.length, ...shapeOf(name, shape, param.length), adopted: { param, grad } };
  }
  if (isKnown && typeof param === "number" && typeof grad === "number" && isCount(count)) {
    return { count, ...shapeOf(name, shape, count), adopted: { param, grad, count } };
  }
  throw new ParameterError(
    `Parameter ${show(name)}: got ${show(source)}, expected { param, grad }, two ${real.Array.name}s, or { param, grad, count }, two byte offsets and a count of elements above 0.`,
  );
}

/** The shape of an adopted tensor, which may be left out. */
function shapeOf(name: string, shape: unknown, count: number): { shape?: Shape } {
  if (shape === undefined) return {};
  if (isShape(shape) && countOf(shape) === count) return { shape: [...shape] };
  throw new ParameterError(
    `Parameter ${show(name)}: got shape ${show(shape)}, expected whole numbers above 0 whose product is ${count}, its count of elements.`,
  );
}
