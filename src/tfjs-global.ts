/**
 * tf.js as pages have it that load it by a `<script>`: the names that the drop-in imports, of the global `tf`. An import map
 * puts this file in the place of `@tensorflow/tfjs-core`. A second bundle of the drop-in, which needs no import map, was
 * rejected: it would make the package 60 kB larger, and a program that has both would have every class twice.
 */
import type * as Core from "@tensorflow/tfjs-core";
import { BackendError } from "./errors.ts";

const { tf } = globalThis as { tf?: typeof Core };
if (tf === undefined) {
  throw new BackendError(
    "There is no global tf: load tf.js by a <script> before the module that imports rmsprop-wasm/tfjs.",
  );
}

export const {
  abs,
  add,
  addN,
  all,
  backend,
  broadcastTo,
  cast,
  clipByValue,
  dispose,
  div,
  engine,
  env,
  getBackend,
  getKernel,
  greater,
  keep,
  less,
  lessEqual,
  logicalAnd,
  max,
  maximum,
  min,
  minimum,
  mul,
  onesLike,
  Optimizer,
  registerKernel,
  reshape,
  scalar,
  sqrt,
  square,
  stack,
  sub,
  sum,
  tensor,
  tensor1d,
  tidy,
  util,
  variable,
  version_core,
  where,
  zerosLike,
} = tf;
