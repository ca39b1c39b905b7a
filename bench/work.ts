/** A piece of work, the same for every way: so many tensors of such a size, from this state, with these options. */
import type { Hyperparameters, Options, StepOptions } from "rmsprop-wasm";

/** Every setting of a step, whether of the optimizer or of the call. */
export interface Settings
  extends Omit<Hyperparameters, "initialSquareAvg" | "lr">,
    Required<Pick<Options, "globalClipNorm" | "nonFinite">>,
    Required<Pick<StepOptions, "gradScale" | "zeroGrad">> {
  lr: Hyperparameters["lr"] | "auto";
  ema: { readonly decay: number } | undefined;
  scheduleFree: boolean;
}

export interface Work {
  /** The title in the tables. */
  title: string;
  variant: VariantName;
  tensors: number;
  /** Elements of each tensor. */
  size: number;
  /** The type of elements: float32 by default. */
  elements?: "float64";
  state: "ordinary" | "running" | "fading";
  /** Steps between two resets, if the state is what is measured. Otherwise a batch is one run of steps. */
  stepsPerReset?: number;
  /**
   * Gradients are written anew before each step, as a backward pass does, and the step is timed without that. A step
   * that clears them needs it, and whatever it's compared with. The clock's own time, some 0.1 µs, goes on top.
   */
  rewritesGradients?: true;
}

/** The hyperparameters of every variant that names no others. */
export const basis = { lr: 1e-3, alpha: 0.99, eps: 1e-8 };

const defaults: Settings = {
  ...basis,
  epsInsideSqrt: false,
  weightDecay: 0,
  decoupledWeightDecay: false,
  momentum: 0,
  lrInMomentum: false,
  nesterov: false,
  centered: false,
  biasCorrection: false,
  clipValue: Infinity,
  clipNorm: Infinity,
  maximize: false,
  sparse: undefined,
  rowwiseState: false,
  globalClipNorm: Infinity,
  nonFinite: "propagate",
  ema: undefined,
  scheduleFree: false,
  gradScale: 1,
  zeroGrad: false,
};

const averaged = { decay: 0.999 };

/** Gradients reach ±0.56, and a tensor of 16 or more has a norm above 1: all clipping clips. */
export const variants = {
  plain: {},
  momentum: { momentum: 0.9 },
  nesterov: { momentum: 0.9, nesterov: true },
  centered: { centered: true },
  both: { momentum: 0.9, centered: true },
  /** Keras' defaults, which TensorFlow, tf.js, Optax and timm share. */
  keras: { epsInsideSqrt: true, lrInMomentum: true },
  graves2013: { epsInsideSqrt: true, centered: true, momentum: 0.9, lrInMomentum: true },
  dqn: { epsInsideSqrt: true, centered: true },
  weightDecay: { weightDecay: 1e-4 },
  decoupledWeightDecay: { weightDecay: 1e-4, decoupledWeightDecay: true },
  maximize: { maximize: true },
  gradScale: { gradScale: 1 / 3 },
  clipValue: { clipValue: 0.25 },
  clipNorm: { clipNorm: 1 },
  globalClipNorm: { globalClipNorm: 1 },
  nonFinite: { nonFinite: "skip" },
  biasCorrection: { biasCorrection: true },
  ema: { ema: averaged },
  zeroGrad: { zeroGrad: true },
  scheduleFree: { scheduleFree: true },
  auto: { lr: "auto" },
  autoCorrected: { lr: "auto", biasCorrection: true },
  scheduled: { lr: (step) => 1e-3 / (1 + step / 1e3) },
  /** A decay that can't cancel a gradient, which clipping leaves at 4e-5 in the largest tensor. */
  allOn: { weightDecay: 1e-6, globalClipNorm: 1, ema: averaged, zeroGrad: true },
} satisfies Record<string, Partial<Settings>>;

export type VariantName = keyof typeof variants;

export const countOf = (work: Work): number => work.tensors * work.size;

/** The options as a caller would write them. */
export const optionsOf = ({ variant }: Work): Partial<Settings> => ({ ...basis, ...variants[variant] });

/** Those options, and the default of everything else. */
export const settingsOf = ({ variant }: Work): Settings => ({ ...defaults, ...variants[variant] });

/** Says whether a way that has these options can do the work. */
export function usesOnly({ variant }: Work, names: readonly (keyof Settings)[]): boolean {
  return Object.keys(variants[variant]).every((name) => names.includes(name as keyof Settings));
}

/**
 * The bytes that a step must read and write: p and v both ways, g once; each further buffer both ways; g once more for its norm
 * and once to clear it; g and the way so far once more for a learned rate.
 */
export function bytesPerElement(work: Work): number {
  const { momentum, centered, ema, scheduleFree, lr, zeroGrad, clipNorm, globalClipNorm, nonFinite } =
    settingsOf(work);
  const isLearned = lr === "auto";
  const buffers = [momentum > 0, centered, ema !== undefined, scheduleFree, isLearned].filter(Boolean).length;
  const measures = clipNorm < Infinity || globalClipNorm < Infinity || nonFinite !== "propagate";
  const bytes = 20 + 8 * buffers + (zeroGrad ? 4 : 0) + (measures ? 4 : 0) + (isLearned ? 8 : 0);
  return work.elements === "float64" ? 2 * bytes : bytes;
}

export type ResultPlane = "param" | "ema" | "grad";

/** The planes that a step leaves changed: gradients only if it clears them. */
export function resultPlanes(work: Work): ResultPlane[] {
  const { ema, zeroGrad } = settingsOf(work);
  return ["param", ...(ema ? (["ema"] as const) : []), ...(zeroGrad ? (["grad"] as const) : [])];
}

/**
 * The value that v starts from. Frameworks start at 0, which the first gradient lifts to an ordinary value. From there the first steps
 * are the same whatever the gradient's scale: a check of that scale needs a v that is `running` already. 1e-36 becomes
 * denormal by decay, after 460 steps of zero gradients.
 */
export const initialSquareAvg = { ordinary: 0, running: 2 ** -20, fading: 1e-36 };

export const hasGradients = ({ state }: Work): boolean => state === "ordinary" || state === "running";

const MILLION = 2 ** 20;

/** A count in binary thousands, as caches have them. */
export function sizeTitle(count: number): string {
  if (count % MILLION === 0) return `${count / MILLION} M elements`;
  return count % 1024 === 0 ? `${count / 1024} k elements` : `${count.toLocaleString("en")} elements`;
}

/** A hash that `pytorch.py` computes too, so that both sides start alike with nothing sent between them. */
function hash(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The class of arrays that hold a work's elements: of one type, whichever it is, so that each way is written once. */
export const arrayOf = ({ elements }: Work) =>
  (elements === "float64" ? Float64Array : Float32Array) as typeof Float32Array;

export interface Inputs {
  readonly param: Float32Array;
  readonly grad: Float32Array;
}

/** Makes for each work once, and lets go of it together with the work. */
export function oncePerWork<Made>(make: (work: Work) => Made): (work: Work) => Made {
  const all = new WeakMap<Work, Made>();
  return (work) => {
    if (!all.has(work)) all.set(work, make(work));
    return all.get(work)!;
  };
}

/** The inputs of a work, shared by all ways: nobody writes into them. */
export const inputsOf = oncePerWork(seededInputs);

/** Parameters in ±0.5, and gradients in ±1/16 to ±9/16: none so near zero that eps decides the result. */
function seededInputs(work: Work): Inputs {
  const count = countOf(work);
  const Elements = arrayOf(work);
  const param = new Elements(count);
  const grad = new Elements(count);
  for (let i = 0; i < count; i++) param[i] = hash(2 * i) / 2 ** 32 - 0.5;
  if (hasGradients(work)) {
    for (let i = 0; i < count; i++) {
      const g = hash(2 * i + 1) / 2 ** 32 - 0.5;
      grad[i] = g + Math.sign(g) / 16;
    }
  }
  return { param, grad };
}
