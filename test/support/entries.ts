/** The optimizer as each entry gives it, and the backend that it must then say it runs on. */
import { RMSprop } from "rmsprop-wasm";
import { RMSprop as RMSpropJs } from "rmsprop-wasm/js";
import type { Params } from "../../src/optimizer/params.ts";
import type { Options } from "../../src/options/options.ts";

export const ENTRIES = [
  {
    entry: "rmsprop-wasm",
    backend: "wasm",
    make: <const P extends Params>(p: P, o?: Options) => new RMSprop(p, o),
  },
  {
    entry: 'rmsprop-wasm with backend "js"',
    backend: "js",
    make: <const P extends Params>(p: P, o?: Options) => new RMSprop(p, { ...o, backend: "js" }),
  },
  {
    entry: "rmsprop-wasm/js",
    backend: "js",
    make: <const P extends Params>(p: P, o?: Options) => new RMSpropJs(p, o),
  },
] as const;
