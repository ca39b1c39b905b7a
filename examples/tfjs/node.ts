/** The program in Node. */
import { setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { train } from "./train.ts";

export async function run(...[data, say]: Parameters<typeof train>): Promise<void> {
  await setBackend("wasm");
  await train(data, say);
}
