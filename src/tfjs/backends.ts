/** The choice of an updater for each backend of tf.js. */

import { engine, getBackend, type KernelBackend, type Tensor, version_core } from "@tensorflow/tfjs-core";
import type { CardName } from "./card.ts";
import { openCopying } from "./copying.ts";
import { openInPlace } from "./in-place.ts";
import { operations } from "./operations.ts";
import type { Updater } from "./updater.ts";

/** The way in which variables of one backend are updated. */
export interface Way {
  updater: Updater;
  /** Resolves once the updater is the one that stays. */
  readonly ready: Promise<void>;
}

const ways = new WeakMap<KernelBackend, Way>();

let checkCards: typeof import("./cards.ts").checkForLoss | undefined;

/**
 * @param backend - the one in use.
 * @param variables - gives those whose values are needed.
 * @throws BackendError if they were on a graphics card that is gone. Without the file for cards, nothing has been on one
 * for longer than the file takes to load.
 */
export function checkForLoss(backend: KernelBackend, variables: () => Iterable<Tensor>): void {
  checkCards?.(backend, variables);
}

/** Gives the way for the backend in use, which is opened once. */
export function wayOn(backend: KernelBackend): Way {
  let way = ways.get(backend);
  if (way === undefined) {
    const name = getBackend();
    way = isOnCard(name)
      ? openLater(name, backend)
      : { updater: open(name, backend), ready: Promise.resolve() };
    ways.set(backend, way);
  }
  return way;
}

/** Has the file for graphics cards loaded early, if tf.js is on one already. */
export function prepare(): void {
  const backend = current();
  if (backend && isOnCard(getBackend())) wayOn(backend);
}

/** The backend in use, if it is ready. tf.js's own function would make one. */
const current = (): KernelBackend | undefined => engine().registry[getBackend()];
const isOnCard = (name: string): name is CardName => name === "webgl" || name === "webgpu";

/**
 * Updates by tf.js's operations until the file for graphics cards is there and a card has computed right. With that file
 * in the entry, every program on the wasm or cpu backend would carry a quarter more.
 */
function openLater(name: CardName, backend: KernelBackend): Way {
  const way: { updater: Updater; ready: Promise<void> } = { updater: operations, ready: Promise.resolve() };
  const load = async () => {
    const { openOnCard, checkForLoss } = await import("./cards.ts");
    checkCards = checkForLoss;
    const opened = current() === backend ? await openOnCard(name, backend, operations) : undefined;
    if (opened) way.updater = opened;
    else if (current() === backend) warn(name, "run its own programs");
    // The backend was changed meanwhile, or is gone, so that nothing was tried: the next step on it tries again.
    else ways.delete(backend);
  };
  way.ready = load().catch((cause) => warn(name, "load its own programs", cause));
  return way;
}

function open(name: string, backend: KernelBackend): Updater {
  const heap = attempt(() => openInPlace(backend));
  if (heap) return heap;
  if (name === "wasm") warn(name, "update in place");
  return (name === "wasm" || name === "cpu" ? attempt(openCopying) : undefined) ?? operations;
}

function warn(name: string, way: string, ...causes: unknown[]): void {
  console.warn(
    `rmsprop-wasm can't ${way} on the ${name} backend of tf.js ${version_core}, and takes a slower way. The results are the same.`,
    ...causes,
  );
}

/** Calls `open`, and gives undefined where it fails: engines and pages forbid WebAssembly in several ways. */
function attempt<Result>(open: () => Result): Result | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
