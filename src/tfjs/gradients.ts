/** The gradients that `applyGradients` is given, all checked before anything changes. */
import { broadcastTo, cast, type Optimizer, type Tensor, util, type Variable } from "@tensorflow/tfjs-core";
import { isPlain } from "../base/plain.ts";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";
import { list, registered } from "./pairing.ts";

/** Gradients by the names of their variables: a record, or the list that `minimize` makes of a `varList`. */
export type Gradients = Parameters<Optimizer["applyGradients"]>[0];

/** A variable, and the gradient that updates it: float32, of the variable's shape. */
export interface Update {
  readonly variable: Variable;
  readonly gradient: Tensor;
}

/** The gradients of one call. */
export interface Updates {
  /** Every variable that the call names, in its order: tf.js keeps state for those without a gradient too. */
  readonly variables: readonly Variable[];
  readonly updates: readonly Update[];
  /** Names of the trainable variables that have no gradient, because the loss doesn't depend on them. */
  readonly unused: readonly string[];
}

/**
 * Pairs variables with gradients. May make tensors, which the caller's `tidy` disposes of.
 *
 * `fit` passes a weight that two submodels share twice, with the same gradient: it is updated once, since the gradient is
 * already that of the whole loss. Different gradients of one variable update it one after the other, as in tf.js.
 *
 * @throws ParameterError for a variable or a gradient that can't be used.
 */
export function updatesOf(gradients: Gradients): Updates {
  if (!Array.isArray(gradients) && !isPlain(gradients)) {
    throw new ParameterError(
      `Gradients: got ${show(gradients)}, expected { [variable.name]: gradient } or a list of { name, tensor }.`,
    );
  }
  const found = { variables: [], updates: [], unused: [] };
  if (Array.isArray(gradients)) {
    const seen = new Map<Variable, Set<Tensor>>();
    for (const one of gradients) take(found, one?.name, one?.tensor, seen);
  } else {
    // Names of a record are there once: of a small update, maps and sets would take a fifth of the time.
    for (const name of Object.keys(gradients)) take(found, name, gradients[name]);
  }
  return found;
}

interface Found {
  readonly variables: Variable[];
  readonly updates: Update[];
  readonly unused: string[];
}

/** Adds one gradient to those found. `seen` holds the gradients of each variable so far, where it may come again. */
function take(
  { variables, updates, unused }: Found,
  name: string,
  gradient: Tensor | null | undefined,
  seen?: Map<Variable, Set<Tensor>>,
): void {
  const variable = variableNamed(name);
  const before = seen?.get(variable);
  if (gradient == null) {
    if (variable.trainable && !unused.includes(name)) unused.push(name);
  } else {
    checkIsFloat(variable);
    if (before?.has(gradient)) return;
    const update = { variable, gradient: fitted(gradient, variable) };
    // Backends differ in what they can do with tensors that have no elements.
    if (variable.size > 0) updates.push(update);
    before?.add(gradient);
  }
  if (before) return;
  // One of whole numbers has no gradient, and no state either: tf.js keeps some that it never uses.
  if (variable.dtype === "float32") variables.push(variable);
  seen?.set(variable, new Set(gradient ? [gradient] : []));
}

/** Gives the variable of a name. @throws ParameterError if there is none. */
function variableNamed(name: string): Variable {
  const variable = registered(name);
  if (variable === undefined) {
    throw new ParameterError(
      `There is no variable ${show(name)}. Gradients and state go by the names of variables, and it may be disposed of.`,
    );
  }
  return variable;
}

/** Gives the float32 variable of a name. @throws ParameterError if there is none. */
export function floatVariableNamed(name: string): Variable {
  const variable = variableNamed(name);
  checkIsFloat(variable);
  return variable;
}

function checkIsFloat({ name, dtype }: Variable): void {
  if (dtype === "float32") return;
  throw new ParameterError(`Variable ${show(name)} is ${dtype}: only float32 can be trained.`);
}

/** Gives the gradient as float32 and in its variable's shape: tf.js's own optimizer takes int32, and broadcasts. */
function fitted(gradient: Tensor, { name, shape }: Variable): Tensor {
  const isFloat = gradient.dtype === "float32";
  const isUsable = gradient.isDisposed === false && (isFloat || gradient.dtype === "int32");
  if (isUsable && isFloat && util.arraysEqual(gradient.shape, shape)) return gradient;
  if (!isUsable || !canBroadcast(gradient.shape, shape)) {
    throw new ParameterError(
      `The gradient of variable ${show(name)} is ${describe(gradient)}, expected a tensor of float32 and shape ${show(shape)}.`,
    );
  }
  const float = isFloat ? gradient : cast(gradient, "float32");
  return util.arraysEqual(float.shape, shape) ? float : broadcastTo(float, shape);
}

/** Names trainable variables that have no gradient, which most often is a mistake in the loss. */
export function warnOf(unused: readonly string[]): void {
  console.warn(
    `rmsprop-wasm: ${list(unused)}: trainable, but without a gradient, since the loss doesn't depend on them. They stay as they are, as with tf.js's own optimizer.`,
  );
}

function canBroadcast(from: readonly number[], to: readonly number[]): boolean {
  return from.length <= to.length && from.every((size, i) => size === 1 || size === to.at(i - from.length));
}

/** Describes whatever was given as a gradient, for an error message. */
function describe(gradient: Partial<Tensor>): string {
  if (gradient.isDisposed) return "disposed of";
  return gradient.dtype ? `of ${gradient.dtype} and shape ${show(gradient.shape)}` : show(gradient);
}
