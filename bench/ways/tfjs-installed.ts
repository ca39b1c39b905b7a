import { createRequire } from "node:module";
import { peersManifest, placeOfPackage } from "../../tools/tfjs.mjs";
import type { Way } from "../way.ts";
import { dropInOf, ownOptimizer, type Tf, tfjsWay } from "./tfjs.ts";

type DropIn = typeof import("rmsprop-wasm/tfjs");

const dropIn = dropInOf(async () => {
  const { rmsprop }: DropIn = await import(new URL("dist/tfjs.js", placeOfPackage).href);
  return rmsprop;
});

/** The ways of tf.js as installed in `peers/`, and of the drop-in for it. */
export function tfjsWays(): { ways: Way[]; version: string } {
  const require = createRequire(peersManifest);
  const tf: Tf = require("@tensorflow/tfjs-core");
  require("@tensorflow/tfjs-backend-cpu");
  require("@tensorflow/tfjs-backend-wasm");
  tf.enableProdMode();
  const kinds = [ownOptimizer, dropIn];
  const ways = (["wasm", "cpu"] as const).flatMap((backend) =>
    kinds.map((kind) => tfjsWay(tf, backend, kind)),
  );
  return { ways, version: tf.version_core };
}
