/** An optimizer of either entry, trained on the inputs of the golden vectors. */
import type { Backend, FloatArray, Optimizer, Options } from "rmsprop-wasm";
import { expect } from "vitest";
import { gradients, type Kind, parameters, stepsOf, TENSOR_SIZES } from "./inputs.ts";

type Vector = { readonly shape: readonly [number]; readonly values: readonly number[] };
type Tensors = { readonly first: Vector; readonly second: Vector };

export interface Entry<Elements extends FloatArray> {
  RMSprop: new (params: Tensors, options: Options) => Optimizer<Tensors, Elements>;
}

export interface Training {
  backend: Backend;
  options: Options;
  inputs: Kind;
  /** Gradients of all elements at a step counted from 0, in place of those of the inputs. */
  gradientsAt?: (step: number) => ArrayLike<number>;
}

/** The parameters and averages after the last step, named as the manifest names them, and all bits. */
export function train<Elements extends FloatArray>(
  { RMSprop }: Entry<Elements>,
  { backend, options, inputs, gradientsAt = (step) => gradients(inputs, step) }: Training,
) {
  const [size] = TENSOR_SIZES;
  const initial = [...parameters()];
  const vector = (values: number[]): Vector => ({ shape: [values.length], values });
  const tensors = { first: vector(initial.slice(0, size)), second: vector(initial.slice(size)) };
  const optimizer = new RMSprop(tensors, { ...options, backend });
  expect(optimizer.backend).toBe(backend);
  const { first, second } = optimizer.grads;
  for (let step = 0; step < stepsOf(inputs); step++) {
    const gradient = gradientsAt(step);
    for (let i = 0; i < size; i++) first[i] = gradient[i]!;
    for (let i = size; i < gradient.length; i++) second[i - size] = gradient[i]!;
    optimizer.step();
  }
  const { params, ema, state } = optimizer;
  const joined = (a?: Elements, b?: Elements) => Float64Array.of(...(a ?? []), ...(b ?? []));
  const views = [params, ema, state.first, state.second].flatMap((record) => Object.values(record));
  const bits = Buffer.concat(views.map((view: Elements) => new Uint8Array(view.slice().buffer)));
  const results = {
    parameters: joined(params.first, params.second),
    squareAvg: joined(state.first.squareAvg, state.second.squareAvg),
    gradAvg: joined(state.first.gradAvg, state.second.gradAvg),
    ema: joined(ema.first, ema.second),
    z: joined(state.first.z, state.second.z),
  };
  if (options.scheduleFree) optimizer.eval();
  return { results: { ...results, evaluated: joined(params.first, params.second) }, bits };
}
