/** The updaters on graphics cards: a file that is loaded where tf.js's backend is on one. */
import type { KernelBackend } from "@tensorflow/tfjs-core";
import type { CardName, Shared } from "./card.ts";
import type { Updater } from "./updater.ts";
import { openWebgl } from "./webgl.ts";
import { openWebgpu } from "./webgpu.ts";

/** Opens the updater of the backend in use, once it has shown that it computes right. Else gives undefined. */
export async function openOnCard(
  name: CardName,
  backend: KernelBackend,
  shared: Shared,
): Promise<Updater | undefined> {
  // Not by way of a promise: the first steps shouldn't have to wait for more than the file.
  if (name === "webgl") return openWebgl(backend, shared);
  return openWebgpu(backend, shared);
}
