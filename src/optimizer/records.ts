/** Records by the tensors' names, as an optimizer hands them out. */

import type { State, Tensor } from "./tensor.ts";

/** The readers of records. Made in the constructor, they would keep its variables, and so the memory, as long as a record. */
export const READERS = {
  params: (tensor: Tensor) => tensor.view("param"),
  grads: (tensor: Tensor) => tensor.view("grad"),
  ema: (tensor: Tensor) => tensor.view("ema"),
  state: (tensor: Tensor) => tensor.state as unknown as State,
};

/** Names resolve when they are read, so that a record outlives the growth of the memory, but not `dispose`. */
export function recordOf<Name extends string, Value>(
  names: Iterable<string>,
  read: (name: string) => Value,
): Readonly<Record<Name, Value>> {
  const record = Object.create(null);
  for (const name of names) {
    Object.defineProperty(record, name, { enumerable: true, get: () => read(name) });
  }
  return Object.freeze(record);
}
