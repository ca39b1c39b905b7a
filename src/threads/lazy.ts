/** Loads the pool of `threads.ts` on demand: for everyone else it would make the entry a quarter heavier. */

import type { FloatArray } from "../base/real.ts";
import type { Backends, Kernel } from "../kernel/contract.ts";
import { openReference } from "../kernel/reference.ts";
import { type Kernels, openWasm } from "../kernel/wasm.ts";
import { isShared } from "../memory/layout.ts";
import { canSpawn } from "./spawn.ts";

/** Loads `threads.ts`: the entry does, as it knows where that file is published. */
export type LoadPool = () => Promise<{
  openPool(
    alone: Kernel,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    threads: number,
  ): Omit<Kernel, "backend" | "real">;
}>;

/** The backends of an entry that has them all: these kernels, on threads too, and JavaScript where they can't run. */
export function backendsOf<Elements extends FloatArray>(
  kernels: Kernels<Elements>,
  loadPool: LoadPool,
): Backends<Elements> {
  const { real } = kernels;
  return {
    real,
    open(memory, wanted, threads) {
      if (wanted === "js") return openReference(memory, wanted, real);
      try {
        return threads > 1 && isShared(memory)
          ? openThreads(memory, kernels, threads, loadPool)
          : openWasm(memory, kernels);
      } catch (error) {
        if (wanted === "wasm") throw error;
        return openReference(memory, wanted, real);
      }
    },
    canShare: canSpawn,
  };
}

/**
 * Binds the kernels to a shared memory: at first on the calling thread alone, then on `threads` threads once the workers
 * are up.
 *
 * @throws BackendError if the engine has no WebAssembly SIMD or the page forbids WebAssembly.
 */
export function openThreads(
  memory: WebAssembly.Memory,
  kernels: Kernels,
  threads: number,
  loadPool: LoadPool,
): Kernel {
  const alone = openWasm(memory, kernels);
  let current: Omit<Kernel, "backend" | "real"> = alone;
  let isDisposed = false;
  const loaded = loadPool().then(
    ({ openPool }) => {
      if (!isDisposed) current = openPool(alone, kernels.compileFor(memory), memory, threads);
    },
    // The pool can't be loaded, for example in a service worker: the update stays on one thread, and `threads` says so.
    () => {},
  );
  return {
    ...alone,
    update: (segment, scalars) => current.update(segment, scalars),
    updateRows: (...args) => current.updateRows(...args),
    hasLate: () => current.hasLate?.() ?? false,
    sumOfSquares: (grad, count, scale) => current.sumOfSquares(grad, count, scale),
    innerProduct: (...args) => current.innerProduct(...args),
    settle: (groups, hold) => current.settle?.(groups, hold),
    get threads() {
      return current.threads ?? 1;
    },
    get ready() {
      return loaded.then(() => current.ready);
    },
    dispose() {
      isDisposed = true;
      current.dispose?.();
    },
  };
}
