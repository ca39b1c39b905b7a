/** All that only graphics cards need: a file that is loaded where tf.js's backend is on one. */
import type { KernelBackend } from "@tensorflow/tfjs-core";
import type { CardName } from "./card.ts";
import { watch } from "./losses.ts";
import type { Updater } from "./updater.ts";
import { openWebgl } from "./webgl.ts";
import { openWebgpu } from "./webgpu.ts";

export { checkForLoss } from "./losses.ts";

/** Opens the updater of the backend in use, once it has shown that it computes right. Else gives undefined. */
export async function openOnCard(
  name: CardName,
  backend: KernelBackend,
  operations: Updater,
): Promise<Updater | undefined> {
  watch(backend);
  // Not by way of a promise: the first steps shouldn't have to wait for more than the file.
  if (name === "webgl") return openWebgl(backend, operations);
  return openWebgpu(backend, operations);
}
