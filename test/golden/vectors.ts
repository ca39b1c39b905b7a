/** Reads the golden vectors: see README.md for what they are and how they are stored. */
import { readFileSync } from "node:fs";
import type { ScheduleFreeOptions } from "rmsprop-wasm";
import type { Kind } from "./inputs.ts";

export type Argument = number | boolean | null | readonly number[];

/** Our options as the manifest writes them: all of them, `null` for off, a list for a changing learning rate. */
export interface GoldenOptions {
  lr: number | readonly number[];
  alpha: number;
  eps: number;
  epsInsideSqrt: boolean;
  weightDecay: number;
  decoupledWeightDecay: boolean;
  momentum: number;
  lrInMomentum: boolean;
  nesterov: boolean;
  centered: boolean;
  biasCorrection: boolean;
  initialSquareAvg: number;
  clipValue: number | null;
  clipNorm: number | null;
  globalClipNorm: number | null;
  maximize: boolean;
  ema: { decay: number } | null;
  scheduleFree: Required<ScheduleFreeOptions> | null;
}

export type Framework =
  | "pytorch"
  | "schedulefree"
  | "keras-jax"
  | "keras-torch"
  | "optax"
  | "tensorflow"
  | "timm"
  | "mlx";

export interface Case {
  id: string;
  framework: Framework;
  /** The framework's own functions and their arguments, in the order in which they apply. */
  calls: Readonly<Record<string, Readonly<Record<string, Argument>>>>;
  options: GoldenOptions;
  inputs: Kind;
  results: {
    parameters: Place;
    squareAvg: Place;
    gradAvg?: Place;
    ema?: Place;
    z?: Place;
    evaluated?: Place;
  };
  /** How many of the framework's results are NaN. */
  expectNaN: { float32: number; float64: number };
}

/** Results by the names that the manifest has for them. */
export type ResultName = keyof Case["results"];

export interface Place {
  offset: number;
  byteLength: number;
}

export interface Manifest {
  elements: number;
  tensorSizes: readonly number[];
  steps: number;
  longSteps: number;
  stepsPerLr: number;
  inputs: { seed: number; specialElements: number; sha256: Readonly<Record<Kind, string>> };
  binary: { byteLength: number; sha256: string };
  requirements: Readonly<Record<string, string>>;
  frameworks: Readonly<Record<Framework, { version: string; defaults: Readonly<Record<string, Argument>> }>>;
  cases: readonly Case[];
}

const file = (name: string) => readFileSync(new URL(name, import.meta.url));

export const manifest: Manifest = JSON.parse(file("manifest.json").toString());
export const binary = file("golden.bin");
export const requirements = file("requirements.txt").toString();

/** What a framework computed in float32, and in float64. */
export interface Golden {
  single: Float32Array;
  double: Float64Array;
}

export function goldenAt(place: Place): Golden {
  return goldenIn(binary, place);
}

export function goldenIn(file: Buffer, { offset, byteLength }: Place): Golden {
  const count = byteLength / 12;
  const doubles = offset + 4 * count;
  return {
    single: Float32Array.from({ length: count }, (_, i) => file.readFloatLE(offset + 4 * i)),
    double: Float64Array.from({ length: count }, (_, i) => file.readDoubleLE(doubles + 8 * i)),
  };
}

/** A changing learning rate as a schedule. */
export function scheduleOf(lr: readonly number[]): (step: number) => number {
  return (step) => lr[Math.floor(step / manifest.stepsPerLr)]!;
}

/** The options as the framework has them: MLX keeps the rate in float32 in float64 runs too, TensorFlow's optimizer all. */
export function optionsInFloat64({ framework, calls, options }: Case): GoldenOptions {
  const { lr: rate, alpha, eps, momentum } = options;
  const lr = typeof rate === "number" ? Math.fround(rate) : rate.map(Math.fround);
  if (framework === "mlx") return { ...options, lr };
  if (!calls.RMSPropOptimizer) return options;
  return {
    ...options,
    lr,
    alpha: Math.fround(alpha),
    eps: Math.fround(eps),
    momentum: Math.fround(momentum),
  };
}
