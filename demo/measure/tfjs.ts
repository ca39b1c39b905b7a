/** tf.js on its WebAssembly backend, from a file of its own that is loaded when someone asks for it. */
import type { Way } from "../../bench/way.ts";
import { ownOptimizer, type Tf, tfjsWay } from "../../bench/ways/tfjs.ts";

/** The exports that the build puts into `tfjs.js`. */
interface Library {
  tf: Tf;
  setWasmPaths(folder: string): void;
}

export async function openTfjs(): Promise<Way> {
  const { tf, setWasmPaths }: Library = await import(new URL("tfjs.js", import.meta.url).href);
  setWasmPaths(new URL("tfjs/", import.meta.url).href);
  // One thread, as the step() beside it.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  tf.enableProdMode();
  return tfjsWay(tf, "wasm", ownOptimizer);
}
