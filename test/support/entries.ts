/** The optimizer as each entry gives it, and the backend that it must then say it runs on. */
import { RMSprop } from "rmsprop-wasm";
import { RMSprop as RMSprop64 } from "rmsprop-wasm/f64";
import { RMSprop as RMSpropJs } from "rmsprop-wasm/js";
import { FLOAT32, FLOAT64, type Real } from "../../src/base/real.ts";
import type { Params } from "../../src/optimizer/params.ts";
import type { Options } from "../../src/options/options.ts";

export const ENTRIES = [
  {
    entry: "rmsprop-wasm",
    backend: "wasm",
    real: FLOAT32,
    type: RMSprop,
    make: <const P extends Params>(p: P, o?: Options) => new RMSprop(p, o),
  },
  {
    entry: 'rmsprop-wasm with backend "js"',
    backend: "js",
    real: FLOAT32,
    type: RMSprop,
    make: <const P extends Params>(p: P, o?: Options) => new RMSprop(p, { ...o, backend: "js" }),
  },
  {
    entry: "rmsprop-wasm/js",
    backend: "js",
    real: FLOAT32,
    type: RMSpropJs,
    make: <const P extends Params>(p: P, o?: Options) => new RMSpropJs(p, o),
  },
] as const;

/** The types say float32 here too, so that a test's body, which takes arrays from `real`, is written once. */
const doubles = <const P extends Params>(p: P, o?: Options) =>
  new RMSprop64(p as never, o) as unknown as RMSprop<P>;

/** Every entry, over both types of elements. */
export const ALL_ENTRIES = [
  ...ENTRIES,
  {
    entry: "rmsprop-wasm/f64",
    backend: "wasm",
    real: FLOAT64 as unknown as Real<Float32Array>,
    type: RMSprop64 as unknown as typeof RMSprop,
    make: doubles,
  },
  {
    entry: 'rmsprop-wasm/f64 with backend "js"',
    backend: "js",
    real: FLOAT64 as unknown as Real<Float32Array>,
    type: RMSprop64 as unknown as typeof RMSprop,
    make: <const P extends Params>(p: P, o?: Options) => doubles(p, { ...o, backend: "js" }),
  },
] as const;
