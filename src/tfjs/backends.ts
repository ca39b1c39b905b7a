/** The choice of an updater for each backend of tf.js. */
import { getBackend, type KernelBackend, version_core } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { openCopying } from "./copying.ts";
import { openInPlace } from "./in-place.ts";
import { operations } from "./operations.ts";
import type { Updater } from "./updater.ts";
import { openWebgl } from "./webgl.ts";
import { openWebgpu } from "./webgpu.ts";

const updaters = new WeakMap<KernelBackend, Updater>();

/** Gives the updater for the backend in use, which is opened once. */
export function updaterOn(backend: KernelBackend): Updater {
  let updater = updaters.get(backend);
  if (updater === undefined) {
    updater = open(backend);
    updaters.set(backend, updater);
  }
  return updater;
}

/** The way of each backend of tf.js that has one of its own, for the warning that it can't be taken. */
const WAYS: Readonly<Record<string, string>> = {
  wasm: "update in place",
  webgl: "run its own programs",
  webgpu: "run its own programs",
};

function open(backend: KernelBackend): Updater {
  const name = getBackend();
  const heap = attempt(() => openInPlace(backend));
  if (heap) return heap;
  const openOnCard = { webgl: openWebgl, webgpu: openWebgpu }[name];
  const onCard = openOnCard?.(backend);
  if (onCard) return onCard;
  if (name in WAYS) {
    console.warn(
      `rmsprop-wasm can't ${WAYS[name]} on the ${name} backend of tf.js ${version_core}, and takes a slower way. The results are the same.`,
    );
  }
  return (name === "wasm" || name === "cpu" ? attempt(openCopying) : undefined) ?? operations;
}

/** Calls `open`, and gives undefined if the engine or the page forbids WebAssembly. */
function attempt<Result>(open: () => Result): Result | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof BackendError) return undefined;
    throw error;
  }
}
