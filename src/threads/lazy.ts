/** Loads the pool of `threads.ts` on demand: for everyone else it would make the entry a quarter heavier. */

import type { Kernel } from "../kernel/contract.ts";
import { compileFor } from "../kernel/module.ts";
import { openWasm } from "../kernel/wasm.ts";

/**
 * Binds the kernels to a shared memory: at first on the calling thread alone, then on `threads` threads once the workers
 * are up.
 *
 * @throws BackendError if the engine has no WebAssembly SIMD or the page forbids WebAssembly.
 */
export function openThreads(memory: WebAssembly.Memory, threads: number): Kernel {
  const alone = openWasm(memory);
  let current: Omit<Kernel, "backend"> = alone;
  let isDisposed = false;
  const loaded = import("../threads.ts").then(
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
