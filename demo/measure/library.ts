/** tf.js with its backends, and the drop-in over it: a file of its own, which the page loads when someone asks for it. */

export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
export * as tf from "@tensorflow/tfjs-core";

import "@tensorflow/tfjs-backend-webgl";

export { rmsprop } from "rmsprop-wasm/tfjs";
