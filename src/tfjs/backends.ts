/** The choice of an updater for each backend of tf.js. */
import { getBackend, type KernelBackend, version_core } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { openCopying } from "./copying.ts";
import { openInPlace } from "./in-place.ts";
import { operations } from "./operations.ts";
import type { Updater } from "./updater.ts";
import { openWebgl } from "./webgl.ts";
import { openWebgpu } from "./webgpu.ts";

/** The internals of tf.js's backends on graphics cards that tell whether the card is still there. */
interface OnCard {
  readonly gpgpu?: { readonly gl?: { isContextLost(): boolean } };
  readonly device?: { readonly lost?: Promise<unknown> };
}

const updaters = new WeakMap<KernelBackend, Updater>();
/** The webgpu backends whose device is lost. */
const lost = new WeakSet<KernelBackend>();

/**
 * Gives the updater for the backend in use, which is opened once.
 *
 * @throws BackendError if the browser has taken the graphics card away from tf.js: further steps would compute nonsense.
 */
export function updaterOn(backend: KernelBackend): Updater {
  const { gpgpu, device } = backend as OnCard;
  if (lost.has(backend) || gpgpu?.gl?.isContextLost()) {
    throw new BackendError(
      "The browser has taken the graphics card away from tf.js, and with it all tensors: reload the page, and load the model that was saved last.",
    );
  }
  let updater = updaters.get(backend);
  if (updater === undefined) {
    updater = open(backend);
    updaters.set(backend, updater);
    device?.lost?.then(() => lost.add(backend));
  }
  return updater;
}

function open(backend: KernelBackend): Updater {
  const name = getBackend();
  const heap = attempt(() => openInPlace(backend));
  if (heap) return heap;
  const ways: Record<string, string> = {
    wasm: "update in place",
    webgl: "run its own programs",
    webgpu: "run its own programs",
  };
  const warn = () =>
    console.warn(
      `rmsprop-wasm can't ${ways[name]} on the ${name} backend of tf.js ${version_core}, and takes a slower way. The results are the same.`,
    );
  const onCard =
    name === "webgl" ? openWebgl(backend) : name === "webgpu" ? openWebgpu(backend, warn) : undefined;
  if (onCard) return onCard;
  if (name in ways) warn();
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
