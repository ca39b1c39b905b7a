/** The example in a browser. `main.ts` serves this, the images and tf.js's binaries. */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import { train } from "./train.ts";

const bytesAt = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const dataAt = async (name: string) => ({
  images: await bytesAt(`${name}/images`),
  labels: await bytesAt(`${name}/labels`),
});

setWasmPaths("/");
await setBackend("wasm");
const report = document.querySelector("pre")!;
await train({ train: await dataAt("train"), test: await dataAt("test") }, (line) => {
  report.append(`${line}\n`);
});
