/** The cells of the matrix, and their reports. */
import type { Backend, Options } from "rmsprop-wasm";
import type { Browser, ToolName } from "./tools.ts";

export interface Cell {
  /** A row of the support table. */
  place: string;
  way: string;
  browser?: Browser;
  /** The tools that it needs; the version of the first is the place's. */
  tools: readonly [ToolName, ...ToolName[]];
  expects: Expected;
  /** The digest of its entry: by default that of the main entry. */
  digest?: string;
  /** Gives a `Report`, unless something went wrong. */
  run(): Promise<unknown>;
}

/** The report that the program must give beside its digest, or the error that it must get. */
export type Expected = { backend: Backend; threads: number } | { error: string };

/** The report that the program gave, or its error. */
export type Report =
  | { backend: Backend; threads: number; digest: string }
  | { error: string; message: string };

export const WASM: Expected = { backend: "wasm", threads: 1 };
export const TWO_THREADS: Expected = { backend: "wasm", threads: 2 };
export const JS: Expected = { backend: "js", threads: 1 };

/** The name of cells over float64. */
export const FLOAT64 = "`rmsprop-wasm/f64`";

/** The name of a cell in which two threads are asked for and one is there. */
export const ONE_THREAD = "`threads: 2` gets one";

/** Options for the program, as the argument of a command or in the address of a page. */
export const asking = (options: Options) => JSON.stringify(options);
export const inAddress = (options: Options) => `?options=${encodeURIComponent(asking(options))}`;
