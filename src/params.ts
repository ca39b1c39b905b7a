/** What the constructor's first argument means: names, shapes and initial values, checked. */
import { ParameterError } from "./errors.ts";
import type { Hyperparameters } from "./options.ts";
import { show } from "./show.ts";

/** Dimensions of a zero-filled tensor, as `[784, 128]`; `[]` is a single number. */
export type Shape = readonly number[];

/** Tensors by name: a shape, or initial values that are copied in once. */
export type ParamRecord = Readonly<Record<string, Shape | Float32Array>>;

/** Parameters with hyperparameters of their own; what they leave out comes from the optimizer's options. */
export interface ParamGroup extends Partial<Hyperparameters> {
  readonly params: ParamRecord;
}

/** What the constructor takes: one record of tensors, or groups of them. */
export type Params = ParamRecord | readonly ParamGroup[];

/** The names of all tensors in `P`, over all its groups. */
export type NameOf<P> = P extends readonly { readonly params: infer Record }[]
  ? Record extends unknown
    ? keyof Record & string
    : never
  : keyof P & string;

/** One tensor, as it was asked for. */
export interface TensorSpec {
  name: string;
  count: number;
  /** Initial values; zeros without them. */
  values: Float32Array | undefined;
}

/** A group's tensors, and the hyperparameters given for it, not checked yet. */
export interface ParsedGroup {
  tensors: TensorSpec[];
  overrides: Partial<Hyperparameters>;
}

/** Brings both forms of `Params` to groups, each with its tensors. Names are unique over all of them. */
export function parseParams(params: Params): ParsedGroup[] {
  const taken = new Set<string>();
  if (!isGroups(params)) return [{ tensors: parseRecord(params, "params", taken), overrides: {} }];
  if (params.length === 0) throw new ParameterError("params: got no group, expected at least one.");
  return params.map((group, i) => {
    if (!isRecord(group)) {
      throw new ParameterError(
        `Group ${i}: got ${show(group)}, expected { params: { … }, …hyperparameters }.`,
      );
    }
    const { params, ...overrides } = group;
    return { tensors: parseRecord(params, `params of group ${i}`, taken), overrides };
  });
}

function isGroups(params: Params): params is readonly ParamGroup[] {
  return Array.isArray(params);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function parseRecord(record: ParamRecord, where: string, taken: Set<string>): TensorSpec[] {
  const entries = isRecord(record) ? Object.entries(record) : [];
  if (entries.length === 0) {
    throw new ParameterError(
      `${where}: got ${show(record)}, expected a record of at least one tensor, as { w: [784, 128] }.`,
    );
  }
  return entries.map(([name, source]) => parseTensor(name, source, taken));
}

function parseTensor(name: string, source: unknown, taken: Set<string>): TensorSpec {
  if (name === "") throw new ParameterError("A parameter's name is empty: give each a name of its own.");
  if (taken.has(name)) {
    throw new ParameterError(
      `Parameter ${show(name)} stands in two groups: names are unique over all groups.`,
    );
  }
  taken.add(name);

  if (isFloat32Array(source)) {
    if (source.length === 0) {
      throw new ParameterError(
        `Parameter ${show(name)}: got a Float32Array of length 0, expected at least one value.`,
      );
    }
    return { name, count: source.length, values: source };
  }
  const isShape = Array.isArray(source) && source.every((size) => Number.isSafeInteger(size) && size > 0);
  if (!isShape) {
    throw new ParameterError(
      `Parameter ${show(name)}: got ${show(source)}, expected a shape of whole numbers above 0, as [784, 128], or a Float32Array of initial values.`,
    );
  }
  return { name, count: source.reduce((product, size) => product * size, 1), values: undefined };
}

/** By its tag: an array that another realm made, a frame or a `vm` context, is no `instanceof` ours. */
function isFloat32Array(value: unknown): value is Float32Array {
  return Object.prototype.toString.call(value) === "[object Float32Array]";
}
