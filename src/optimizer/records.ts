/** Records by name: views for the caller, and errors for assignments, which no step would see. */

import { show } from "../base/show.ts";
import { CheckpointError, ParameterError } from "../errors.ts";
import type { State, Tensor } from "./tensor.ts";

/**
 * Makes a record whose names resolve when they are read, so that it outlives the growth of the memory, but not `dispose`.
 * An assignment is an error, in sloppy mode too: no step would see it.
 *
 * @param title The record's name in messages, as "grads".
 */
export function recordOf<Name extends string, Value>(
  title: string,
  names: readonly Name[],
  read: (name: Name) => Value,
): Readonly<Record<Name, Value>> {
  const refuse = (_: unknown, name: PropertyKey): never => {
    const place = `${title}.${String(name)}`;
    const instead = names.length > 0 ? `write to one of ${names.map(show).join(", ")}` : "set the option ema";
    throw new ParameterError(
      names.includes(name as Name)
        ? `${place} can't be replaced, since steps work on the memory under it: write into it, as ${place}.set(values).`
        : `There is no ${place}: ${instead}.`,
    );
  };
  const inherited = Object.create(null, { toJSON: { value: toJson }, [INSPECT]: { value: copy } });
  const record = Object.create(new Proxy(inherited, { set: refuse }));
  for (const name of names) {
    Object.defineProperty(record, name, {
      enumerable: true,
      get: () => read(name),
      set: () => refuse(record, name),
    });
  }
  return Object.freeze(record);
}

/** The key of the method by which Node, Deno and Bun print an object. */
export const INSPECT: unique symbol = /* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom");

/** Consoles would print getters. */
function copy(this: object): object {
  return { ...this };
}

/**
 * A method `toJSON`: JSON makes `{ "0": …, "1": … }` of a typed array, which nothing here reads. Test frameworks print by it too,
 * without the key that `JSON.stringify` gives: an error there would hide the difference that they report.
 */
export function toJson(this: object, key?: string): object {
  if (key === undefined) return { ...this };
  throw new CheckpointError(
    "JSON holds no Float32Array: keep the bytes of save from rmsprop-wasm/checkpoint, clone or post stateDict(), or take Array.from(view).",
  );
}

/** The readers of records. Made in a constructor, they would keep its variables, and so the memory, as long as a record. */
export const READERS = {
  params: (tensor: Tensor) => tensor.view("param"),
  grads: (tensor: Tensor) => tensor.view("grad"),
  ema: (tensor: Tensor) => tensor.view("ema"),
  state: (tensor: Tensor): State => {
    const { state } = tensor;
    const planes = Object.keys(state) as (keyof State)[];
    return recordOf(`state.${tensor.name}`, planes, (plane) => state[plane]!) as State;
  },
};
