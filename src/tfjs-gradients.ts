/** What `applyGradients` is given, checked as a whole before anything is changed. */
import { engine, type Optimizer, Tensor, util, type Variable } from "@tensorflow/tfjs-core";
import { ParameterError } from "./errors.ts";
import { show } from "./show.ts";

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
  const { registeredVariables } = engine();
  const add = (name: string, gradient: Tensor | null | undefined) => {
    const variable = registeredVariables[name];
    if (variable === undefined) {
      throw new ParameterError(
        `There is no variable ${show(name)}. Gradients go by the names of variables, and it may be disposed of.`,
      );
    }
    // As tf.js does: for a frozen variable in its `varList`, `minimize` gives null.
    if (gradient == null && !variable.trainable) return;
    checkUpdate(variable, gradient);
    updates.push({ variable, gradient });
  };
  if (Array.isArray(gradients)) for (const { name, tensor } of gradients) add(name, tensor);
  else for (const [name, tensor] of Object.entries(gradients ?? {})) add(name, tensor);

  if (updates.length === 0) {
    throw new ParameterError("There is no gradient of any variable: expected { [variable.name]: gradient }.");
  }
  if (Array.isArray(gradients) && new Set(updates.map(({ variable }) => variable)).size < updates.length) {
    throw new ParameterError("One variable is given two gradients: add them up first.");
  }
  return updates;
}

function checkUpdate(variable: Variable, gradient: Tensor | null | undefined): asserts gradient is Tensor {
  const refuse = (what: string) => {
    throw new ParameterError(`Variable ${show(variable.name)} ${what}`);
  };
  if (variable.dtype !== "float32") refuse(`is ${variable.dtype}: only float32 can be trained.`);
  if (gradient == null) {
    refuse("has no gradient, so the loss doesn't depend on it: leave it out, or set its `trainable` to false.");
  } else if (!(gradient instanceof Tensor)) {
    refuse(`has ${show(gradient)} for a gradient, expected a tensor.`);
  } else if (gradient.isDisposed) {
    refuse("has a gradient that is disposed of.");
  } else if (gradient.dtype !== "float32" || !util.arraysEqual(gradient.shape, variable.shape)) {
    refuse(
      `has a gradient of ${gradient.dtype} and shape ${show(gradient.shape)}, expected float32 and shape ${show(variable.shape)}.`,
    );
  }
}
