import { createRequire } from "node:module";
import type { Way } from "../way.ts";
import { type Tf, tfjsWay } from "./tfjs.ts";

/** Loads tf.js from where the rivals are installed. */
export function tfjsWays(manifest: string): { ways: Way[]; version: string } {
  const require = createRequire(manifest);
  const tf: Tf = require("@tensorflow/tfjs-core");
  require("@tensorflow/tfjs-backend-cpu");
  require("@tensorflow/tfjs-backend-wasm");
  tf.enableProdMode();
  return { ways: [tfjsWay(tf, "wasm"), tfjsWay(tf, "cpu")], version: tf.version_core };
}
