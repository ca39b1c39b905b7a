/** The pool of `threads.ts`, which is loaded when it is asked for: it would make the entry a quarter heavier for all. */

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
  ): Omit<Kernel, "backend">;
}>;

/**
 * Binds the kernels to a shared memory: on the calling thread alone, and on `threads` of them once they are there.
 *
 * @throws BackendError where the engine has no WebAssembly SIMD or the page forbids WebAssembly.
 */
export function openThreads(memory: WebAssembly.Memory, threads: number, loadPool: LoadPool): Kernel {
  const alone = openWasm(memory);
  let current: Omit<Kernel, "backend"> = alone;
  let isDisposed = false;
  const loaded = loadPool().then(
    ({ openPool }) => {
      if (!isDisposed) current = openPool(alone, compileFor(memory), memory, threads);
    },
    // Not to be had, as in a service worker: one thread, which `threads` tells.
    () => {},
  );
  return {
    ...alone,
    update: (segment, scalars) => current.update(segment, scalars),
    sumOfSquares: (grad, count) => current.sumOfSquares(grad, count),
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
