/** Inputs of steps by rows, the same bits as those of `rows_.py`, and the files of results that optimizers in Python gave for them. */
import { readFileSync } from "node:fs";
import { draw, ELEMENTS, gradients } from "./inputs.ts";
import { type Golden, goldenIn, type Place } from "./vectors.ts";

export const WIDTH = 8;
export const ROWS = ELEMENTS / WIDTH;
const OCCURRENCES = 40;
const FIRST_STREAM = 10_000;

/** The rows of a step's batch, in its order, repetitions included. */
export function occurrences(step: number): number[] {
  return Array.from({ length: OCCURRENCES }, (_, i) => (draw(FIRST_STREAM + step, i) >>> 8) % ROWS);
}

/** A row of a batch with its gradient. */
export interface Occurrence {
  row: number;
  /** How often the row was named before. */
  repetition: number;
  grad: Float32Array;
}

/** The batch of a step: a repetition adds as much as all before it, so that no sum is rounded, in any order. */
export function batch(step: number): Occurrence[] {
  const seen = new Map<number, number>();
  return occurrences(step).map((row) => {
    const repetition = seen.get(row) ?? 0;
    seen.set(row, repetition + 1);
    const factor = 2 ** Math.max(0, repetition - 1);
    const grad = gradients("ordinary", step).slice(row * WIDTH, (row + 1) * WIDTH);
    return { row, repetition, grad: grad.map((value) => value * factor) };
  });
}

/** A run of one of the scripts. */
export interface RowsCase {
  /** The function in Python, and its arguments. */
  call: string;
  given: Readonly<Record<string, number | boolean>>;
  results: Readonly<Record<string, Place>>;
}

interface RowsManifest {
  versions: Readonly<Record<string, string>>;
  steps: number;
  /** The digests of all lists of rows, as uint32, and of the results. */
  lists: string;
  binary: string;
  cases: readonly RowsCase[];
}

export function readRows(name: string) {
  const file = (extension: string) => readFileSync(new URL(`rows/${name}.${extension}`, import.meta.url));
  const manifest: RowsManifest = JSON.parse(file("json").toString());
  const binary = file("bin");
  return { manifest, binary, at: (place: Place): Golden => goldenIn(binary, place) };
}
