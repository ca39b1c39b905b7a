/**
 * tf.js's own format of optimizer state, which `LayersModel.save` writes with `includeOptimizer`: `iter`, then
 * `<name>/rms` of all variables, `<name>/momentum` of all, and `<name>/mg` of all if centered. `tf.train.rmsprop` and this
 * optimizer read each other's.
 */
import type { Optimizer, Tensor } from "@tensorflow/tfjs-core";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";
import type { StatePlane } from "../kernel/segment.ts";

/** A tensor with a name: a type that tf.js has and doesn't export. */
export type NamedTensor = Awaited<ReturnType<Optimizer["getWeights"]>>[number];

/** Saved state, with the name of the variable that had it. */
export interface SavedState {
  readonly name: string;
  readonly state: { squareAvg: Tensor } & Partial<Record<StatePlane, Tensor>>;
}

const ITERATIONS = "iter";
/** Each plane with its name in the format, which has a momentum buffer even without momentum. */
const PLANES = [
  ["squareAvg", "rms"],
  ["momentumBuffer", "momentum"],
  ["gradAvg", "mg"],
] as const;

const RMS = "/rms";

const slotPlanes = (centered: boolean) => PLANES.slice(0, centered ? 3 : 2);

export function formatWeights(
  iterations: Tensor,
  states: readonly SavedState[],
  centered: boolean,
): NamedTensor[] {
  const planes = slotPlanes(centered).flatMap(([plane, suffix]) =>
    states.map(({ name, state }) => ({ name: `${name}/${suffix}`, tensor: state[plane]! })),
  );
  return [{ name: ITERATIONS, tensor: iterations }, ...planes];
}

/** Reads weights. @throws ParameterError unless an RMSprop wrote them that is `centered` just as this one is. */
export function parseWeights(
  weights: readonly NamedTensor[],
  centered: boolean,
): { iterations: Tensor; states: SavedState[] } {
  const [first, ...others] = Array.isArray(weights) ? weights : [];
  if (first?.name !== ITERATIONS || first.tensor.size !== 1) {
    throw new ParameterError(
      `Weights start with ${show(first?.name)}, expected one number named "${ITERATIONS}": give all that getWeights() gave.`,
    );
  }
  const planes = slotPlanes(centered);
  const byName = new Map(others.map(({ name, tensor }) => [name, tensor]));
  const names = others.filter(({ name }) => name.endsWith(RMS)).map(({ name }) => name.slice(0, -RMS.length));
  const states = names.map((name) => {
    const state = planes.map(([plane, suffix]) => [plane, byName.get(`${name}/${suffix}`)] as const);
    return { name, state: Object.fromEntries(state) as SavedState["state"] };
  });
  const isWhole = states.every(({ state }) => planes.every(([plane]) => state[plane] !== undefined));
  if (!isWhole || others.length !== states.length * planes.length) {
    const wanted = planes.map(([, suffix]) => `"<variable>/${suffix}"`).join(", ");
    throw new ParameterError(
      `Weights: got ${others.length} beside "${ITERATIONS}", of ${states.length} variables, expected ${wanted} of each: this optimizer is ${centered ? "" : "not "}centered.`,
    );
  }
  for (const { name, state } of states) {
    for (const tensor of Object.values(state)) checkPlane(name, tensor, state.squareAvg.shape);
  }
  return { iterations: first.tensor, states };
}

function checkPlane(name: string, tensor: Tensor, shape: readonly number[]): void {
  if (tensor.isDisposed) throw new ParameterError(`Weights: the state of ${show(name)} is disposed of.`);
  if (tensor.dtype !== "float32" || show(tensor.shape) !== show(shape)) {
    throw new ParameterError(
      `Weights: the state of ${show(name)} is ${tensor.dtype} of shape ${show(tensor.shape)}, expected float32 of shape ${show(shape)}.`,
    );
  }
}
