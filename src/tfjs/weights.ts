/**
 * tf.js's own format of optimizer state, which `LayersModel.save` writes with `includeOptimizer`: `iter`, then
 * `<name>/rms` of all variables, `<name>/momentum` of all, and `<name>/mg` of all if centered. `tf.train.rmsprop` and this
 * optimizer read each other's.
 *
 * With `scheduleFree`, `<name>/z` of all follow, and `weights`: the bits of two doubles as int32, since tf.js has no tensors
 * of doubles. tf.js's own optimizer would pair such state with the wrong variables.
 */
import { type Optimizer, type Tensor, tensor1d, type Variable, variable } from "@tensorflow/tfjs-core";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";
import type { StatePlane } from "../kernel/segment.ts";
import type { WeightSums } from "../options/schedule-free.ts";
import type { ResolvedOptions } from "./options.ts";

/** A plane that is kept for a variable. */
export type KeptPlane = StatePlane | "z";

/** A tensor with a name: a type that tf.js has and doesn't export. */
export type NamedTensor = Awaited<ReturnType<Optimizer["getWeights"]>>[number];

/** Saved state, with the name of the variable that had it. */
export interface SavedState {
  readonly name: string;
  readonly state: { squareAvg: Tensor } & Partial<Record<KeptPlane, Tensor>>;
}

const ITERATIONS = "iter";
/** Each plane with its name in the format, which has a momentum buffer even without momentum. */
const PLANES = [
  ["squareAvg", "rms"],
  ["momentumBuffer", "momentum"],
  ["gradAvg", "mg"],
  ["z", "z"],
] as const;

const RMS = "/rms";
const WEIGHTS = "weights";

function slotPlanes(centered: boolean, isFree: boolean) {
  return PLANES.filter(([plane]) => (plane === "gradAvg" ? centered : plane !== "z" || isFree));
}

export function formatWeights(
  iterations: Tensor,
  states: readonly SavedState[],
  centered: boolean,
  sums: Tensor | undefined,
): NamedTensor[] {
  const planes = slotPlanes(centered, sums !== undefined).flatMap(([plane, suffix]) =>
    states.map(({ name, state }) => ({ name: `${name}/${suffix}`, tensor: state[plane]! })),
  );
  return [
    { name: ITERATIONS, tensor: iterations },
    ...planes,
    ...(sums ? [{ name: WEIGHTS, tensor: sums }] : []),
  ];
}

/** Keeps values in one variable for all saves: tf.js makes a tensor at each save, and nobody disposes of it. */
export function keptIn(before: Variable | undefined, values: Tensor): Variable {
  const after = before?.isDisposed === false ? before : variable(values, false);
  if (after === before) after.assign(values);
  values.dispose();
  return after;
}

export function formatSums({ weightSum, lrMax }: WeightSums): Tensor {
  return tensor1d(new Int32Array(Float64Array.of(weightSum, lrMax).buffer));
}

export function parseSums(bits: Int32Array): WeightSums {
  const [weightSum, lrMax] = new Float64Array(bits.slice().buffer);
  return { weightSum: weightSum!, lrMax: lrMax! };
}

/** Reads weights. @throws ParameterError unless an RMSprop wrote them that is `centered`, and has `scheduleFree`, just as this one. */
export function parseWeights(
  weights: readonly NamedTensor[],
  { centered, scheduleFree }: ResolvedOptions,
): { iterations: Tensor; states: SavedState[]; sums: Tensor | undefined } {
  const [first, ...others] = Array.isArray(weights) ? weights : [];
  if (first?.name !== ITERATIONS || first.tensor?.size !== 1) {
    throw new ParameterError(
      `Weights start with ${show(first?.name)}, expected one number named "${ITERATIONS}": give all that getWeights() gave.`,
    );
  }
  const isFree = scheduleFree !== undefined;
  const planes = slotPlanes(centered, isFree);
  const sums = isFree && others.at(-1)?.name === WEIGHTS ? others.pop()!.tensor : undefined;
  // Whatever isn't named so is missing below.
  const byName = new Map(others.map((one) => [String(one?.name), one?.tensor]));
  const names = [...byName.keys()]
    .filter((name) => name.endsWith(RMS))
    .map((name) => name.slice(0, -RMS.length));
  const states = names.map((name) => {
    const state = planes.map(([plane, suffix]) => [plane, byName.get(`${name}/${suffix}`)] as const);
    return { name, state: Object.fromEntries(state) as SavedState["state"] };
  });
  const isWhole = states.every(({ state }) => planes.every(([plane]) => state[plane] !== undefined));
  if (!isWhole || others.length !== states.length * planes.length || isFree !== (sums !== undefined)) {
    const wanted = planes.map(([, suffix]) => `"<variable>/${suffix}"`).join(", ");
    throw new ParameterError(
      `Weights: got ${weights.length - 1} beside "${ITERATIONS}", of ${states.length} variables, expected ${wanted} of each${isFree ? `, and "${WEIGHTS}"` : ""}: this optimizer is ${centered ? "" : "not "}centered, and ${isFree ? "with" : "without"} scheduleFree.`,
    );
  }
  for (const { name, state } of states) {
    for (const tensor of Object.values(state)) checkTensor(name, tensor, "float32", state.squareAvg.shape);
  }
  if (sums) checkTensor(WEIGHTS, sums, "int32", [4]);
  return { iterations: first.tensor, states, sums };
}

function checkTensor(name: string, tensor: Tensor, dtype: string, shape: readonly number[]): void {
  if (tensor.isDisposed) throw new ParameterError(`Weights: the state of ${show(name)} is disposed of.`);
  if (tensor.dtype !== dtype || show(tensor.shape) !== show(shape)) {
    throw new ParameterError(
      `Weights: the state of ${show(name)} is ${tensor.dtype} of shape ${show(tensor.shape)}, expected ${dtype} of shape ${show(shape)}.`,
    );
  }
}
