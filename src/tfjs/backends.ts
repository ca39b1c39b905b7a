/** Which way goes with which backend of tf.js. */
import { getBackend, type KernelBackend, version_core } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { openCopies } from "./copying.ts";
import { openHeap } from "./in-place.ts";
import { operations } from "./operations.ts";
import type { Way } from "./updater.ts";

const ways = new WeakMap<KernelBackend, Way>();

/** The way to update on the backend in use. */
export function wayOn(backend: KernelBackend): Way {
  let way = ways.get(backend);
  if (way === undefined) {
    way = open(backend);
    ways.set(backend, way);
  }
  return way;
}

function open(backend: KernelBackend): Way {
  const name = getBackend();
  const heap = attempt(() => openHeap(backend));
  if (heap) return heap;
  if (name === "wasm") {
    console.warn(
      `rmsprop-wasm can't update in place on the wasm backend of tf.js ${version_core}, and takes a slower way. The results are the same.`,
    );
  }
  return (name === "wasm" || name === "cpu" ? attempt(openCopies) : undefined) ?? operations;
}

/** What a function gives, or undefined where the engine or the page forbids our kernels. */
function attempt<Result>(open: () => Result): Result | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof BackendError) return undefined;
    throw error;
  }
}
