/** What `applyGradients` is given, checked as a whole before anything is changed. */
import { engine, type Optimizer, type Tensor, util, type Variable } from "@tensorflow/tfjs-core";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";

/** By the names of variables: a record, or a list as `minimize` makes it of a `varList`. */
export type Gradients = Parameters<Optimizer["applyGradients"]>[0];

/** A variable, and the gradient to update it by. */
export interface Update {
  readonly variable: Variable;
  readonly gradient: Tensor;
}

/** @throws ParameterError for a variable or a gradient that can't be used. */
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
    // As tf.js does: for a frozen variable in its `varList`, `minimize` gives null.
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

/** Whatever it is that stands in a gradient's place. */
function describe(gradient: Partial<Tensor>): string {
  if (gradient.isDisposed) return "disposed of";
  return gradient.dtype ? `of ${gradient.dtype} and shape ${show(gradient.shape)}` : show(gradient);
}
