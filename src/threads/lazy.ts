/** Loads the pool of `threads.ts` on demand: for everyone else it would make the entry a quarter heavier. */

import type { Kernel } from "../kernel/contract.ts";
import { compileFor } from "../kernel/module.ts";
import { openWasm } from "../kernel/wasm.ts";

/** Loads `threads.ts`: the entry does, as it knows where that file is published. */
export type LoadPool = () => Promise<{
  openPool(
    alone: Kernel,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    threads: number,
  ): Omit<Kernel, "backend" | "updateRows" | "catchUpRows">;
}>;

/**
 * Binds the kernels to a shared memory: at first on the calling thread alone, then on `threads` threads once the workers
 * are up.
 *
 * @throws BackendError if the engine has no WebAssembly SIMD or the page forbids WebAssembly.
 */
export function openThreads(memory: WebAssembly.Memory, threads: number, loadPool: LoadPool): Kernel {
  const alone = openWasm(memory);
  let current: Omit<Kernel, "backend" | "updateRows" | "catchUpRows"> = alone;
  let isDisposed = false;
  const loaded = loadPool().then(
    ({ openPool }) => {
      if (!isDisposed) current = openPool(alone, compileFor(memory), memory, threads);
    },
    // The pool can't be loaded, for example in a service worker: the update stays on one thread, and `threads` says so.
    () => {},
  );
  return {
    ...alone,
    update: (segment, scalars) => current.update(segment, scalars),
    sumOfSquares: (grad, count) => current.sumOfSquares(grad, count),
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
