/**
 * The update as text for a graphics card, in GLSL and WGSL: the mathematics in the written order of `reference.ts`, in the
 * part of the two languages that is the same. Four functions are left to each language: `flushed`, `capped`, `clipped`
 * and `positive`, whose comparisons treat NaN as the kernels do, where a card's `min` and `max` may drop it.
 *
 * Denormals become 0 at every step, which costs a card nothing, and which most cards do anyway. At every 64th, as in the
 * kernels, it would take programs of its own, compiled in the middle of a training.
 */
import {
  SCALARS as ALL_SCALARS,
  CENTERED,
  CORRECTED,
  DECAYED,
  DECOUPLED,
  FLUSHED,
  MOMENTUM,
  movesByDifference,
  NESTEROV,
  SCHEDULE_FREE,
  type Scalars,
  SHAPED,
} from "../kernel/contract.ts";
import type { KeptPlane } from "./weights.ts";

/** A plane that an update writes. */
export type Output = "param" | KeptPlane;
/** A plane that an update reads. */
export type Input = Output | "grad" | "fine";

/** The numbers of averages of the weights and of learned rates, neither of which this optimizer has. */
const ABSENT = ["emaWeight", "growth"] as const;

/** A number of the step that programs take. */
export type ScalarName = Exclude<(typeof ALL_SCALARS)[number], (typeof ABSENT)[number]>;

/** The numbers of a step in the order in which programs take them. */
export const SCALARS = /* @__PURE__ */ ALL_SCALARS.filter(
  (name): name is ScalarName => !(ABSENT as readonly string[]).includes(name),
);

/** A bit beside the contract's: averages as `alpha * v + (w * g) * g`, for the alphas of `movesByDifference`. */
const MIXED = 8192;
/** Another: a step that is taken if the plane `fine`, of one element, holds a 1, and changes nothing if it holds a 0. */
const GUARDED = 16_384;

/** Gives the variant that programs are made for. */
export function variantOf(scalars: Scalars, isGuarded: boolean): number {
  return (scalars.variant & ~FLUSHED) | (movesByDifference(scalars) ? 0 : MIXED) | (isGuarded ? GUARDED : 0);
}

/** Gives the planes that an update of this variant writes. */
export function outputsOf(variant: number): Output[] {
  return [
    "param",
    "squareAvg",
    ...(variant & MOMENTUM ? (["momentumBuffer"] as const) : []),
    ...(variant & CENTERED ? (["gradAvg"] as const) : []),
    ...(variant & SCHEDULE_FREE ? (["z"] as const) : []),
  ];
}

/** Gives the planes that these outputs depend on, in the order of `outputsOf`. */
export function inputsOf(variant: number, outputs: readonly Output[]): Input[] {
  const writes = (...planes: Output[]) => planes.some((plane) => outputs.includes(plane));
  const isStep = writes("param", "momentumBuffer", "z");
  const needs = (plane: Output) => {
    if (plane === "z") return writes("param", "z");
    if (plane !== "param") return isStep || writes(plane);
    return writes("param") || (variant & DECAYED) !== 0 || (writes("z") && (variant & DECOUPLED) !== 0);
  };
  const guard = variant & GUARDED ? (["fine"] as const) : [];
  return ["grad", ...outputsOf(variant).filter(needs), ...guard];
}

/**
 * Writes the statements that compute `outputs` from variables named as the planes, which they overwrite. `fine` is the
 * name of a condition.
 *
 * @param scalar - how the language refers to one of the scalars.
 * @param declare - how it declares a variable.
 * @param choose - how it chooses between two values by `fine`.
 */
export function updateText(
  variant: number,
  outputs: readonly Output[],
  scalar: (name: ScalarName) => string,
  declare: string,
  choose: (value: string, other: string) => string,
): string {
  const uses = (bit: number) => (variant & bit) !== 0;
  const writes = (plane: Output) => outputs.includes(plane);
  const moves = writes("param") || writes("z");
  const isStep = moves || writes("momentumBuffer");
  const s = Object.fromEntries(SCALARS.map((name) => [name, scalar(name)])) as Record<ScalarName, string>;
  const average = (plane: string, value: string, weighted: string) =>
    uses(MIXED)
      ? `${s.alpha} * ${plane} + ${weighted}`
      : `${plane} + ${s.oneMinusAlpha} * (${value} - ${plane})`;
  const lines = [
    ...(uses(GUARDED) ? outputs.map((plane) => `${declare} ${plane}Before = ${plane};`) : []),
    uses(SHAPED | DECAYED) && `grad = grad * ${s.gradScale};`,
    uses(SHAPED) && `grad = clipped(grad, ${s.clipValue});`,
    uses(DECAYED) && `grad = grad + ${s.weightDecay} * param;`,
    (isStep || writes("squareAvg")) &&
      `squareAvg = flushed(capped(${average("squareAvg", "grad * grad", `(${s.oneMinusAlpha} * grad) * grad`)}));`,
    uses(CENTERED) &&
      (isStep || writes("gradAvg")) &&
      `gradAvg = flushed(${average("gradAvg", "grad", `${s.oneMinusAlpha} * grad`)});`,
  ];
  if (isStep) {
    lines.push(
      `${declare} q = squareAvg;`,
      uses(CENTERED) && "q = positive(q - gradAvg * gradAvg);",
      uses(CORRECTED) && `q = q / ${s.correction};`,
      `${declare} u = (${s.updateScale} * grad) / (sqrt(q + ${s.epsInside}) + ${s.eps});`,
      uses(MOMENTUM) && `momentumBuffer = flushed(${s.momentum} * momentumBuffer + u);`,
      uses(MOMENTUM) &&
        `u = ${s.bufferScale} * ${uses(NESTEROV) ? `(u + ${s.momentum} * momentumBuffer)` : "momentumBuffer"};`,
    );
  }
  if (moves) {
    lines.push(
      uses(DECOUPLED) && `u = u + ${s.decoupledDecay} * param;`,
      uses(SCHEDULE_FREE) && writes("param") && `${declare} way = z - param;`,
      writes("z") && "z = flushed(z - u);",
      uses(SCHEDULE_FREE) && writes("param") && `u = ${s.stepShare} * u - ${s.zShare} * way;`,
      writes("param") && "param = flushed(param - u);",
    );
  }
  if (uses(GUARDED)) lines.push(...outputs.map((plane) => `${plane} = ${choose(plane, `${plane}Before`)};`));
  return lines.filter(Boolean).join("\n");
}
