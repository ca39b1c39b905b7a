/** The gradients that `applyGradients` is given, all checked before anything changes. */
import { engine, type Optimizer, type Tensor, util, type Variable } from "@tensorflow/tfjs-core";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";

/** Gradients by the names of their variables: a record, or the list that `minimize` makes of a `varList`. */
export type Gradients = Parameters<Optimizer["applyGradients"]>[0];

/** A variable, and the gradient that updates it. */
export interface Update {
  readonly variable: Variable;
  readonly gradient: Tensor;
}

/** Pairs variables with gradients. @throws ParameterError for a variable or a gradient that can't be used. */
export function updatesOf(gradients: Gradients): Update[] {
  const updates: Update[] = [];
  if (Array.isArray(gradients)) {
    for (const { name, tensor } of gradients) addUpdate(updates, name, tensor);
    if (new Set(updates.map(({ variable }) => variable)).size < updates.length) {
      throw new ParameterError("One variable is given two gradients: add them up first.");
    }
  } else {
    for (const name of Object.keys(gradients ?? {})) addUpdate(updates, name, gradients[name]);
  }
  if (updates.length === 0) {
    throw new ParameterError("There is no gradient of any variable: expected { [variable.name]: gradient }.");
  }
  return updates;
}

function addUpdate(updates: Update[], name: string, gradient: Tensor | null | undefined): void {
  const variable = engine().registeredVariables[name];
  if (variable === undefined) {
    throw new ParameterError(
      `There is no variable ${show(name)}. Gradients go by the names of variables, and it may be disposed of.`,
    );
  }
  if (gradient == null) {
    // `minimize` gives null for a frozen variable in its `varList`, and tf.js passes over it.
    if (!variable.trainable) return;
    throw new ParameterError(
      `Variable ${show(name)} has no gradient, so the loss doesn't depend on it: leave it out, or set its \`trainable\` to false.`,
    );
  }
  if (variable.dtype !== "float32") {
    throw new ParameterError(`Variable ${show(name)} is ${variable.dtype}: only float32 can be trained.`);
  }
  if (
    gradient.isDisposed !== false ||
    gradient.dtype !== "float32" ||
    !util.arraysEqual(gradient.shape, variable.shape)
  ) {
    throw new ParameterError(
      `The gradient of variable ${show(name)} is ${describe(gradient)}, expected a tensor of float32 and shape ${show(variable.shape)}.`,
    );
  }
  updates.push({ variable, gradient });
}

/** Describes whatever was given as a gradient, for an error message. */
function describe(gradient: Partial<Tensor>): string {
  if (gradient.isDisposed) return "disposed of";
  return gradient.dtype ? `of ${gradient.dtype} and shape ${show(gradient.shape)}` : show(gradient);
}
