/** Reads the golden vectors: see README.md for what they are and how they are stored. */
import { readFileSync } from "node:fs";
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
}

export type Framework = "pytorch" | "keras-jax" | "keras-torch" | "optax" | "tensorflow" | "timm" | "mlx";

export interface Case {
  id: string;
  framework: Framework;
  /** The framework's own functions and their arguments, in the order in which they apply. */
  calls: Readonly<Record<string, Readonly<Record<string, Argument>>>>;
  options: GoldenOptions;
  inputs: Kind;
  results: { parameters: Place; squareAvg: Place; gradAvg?: Place; ema?: Place };
  /** How many of the framework's results are NaN. */
  expectNaN: { float32: number; float64: number };
}

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
  const [single, rest] = [offset, offset + byteLength / 2].map((start) =>
    Float32Array.from({ length: byteLength / 8 }, (_, i) => file.readFloatLE(start + 4 * i)),
  ) as [Float32Array, Float32Array];
  return { single, double: Float64Array.from(single, (value, i) => value + rest[i]!) };
}

/** A changing learning rate as a schedule. */
export function scheduleOf(lr: readonly number[]): (step: number) => number {
  return (step) => lr[Math.floor(step / manifest.stepsPerLr)]!;
}
