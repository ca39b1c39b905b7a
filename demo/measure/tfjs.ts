/** tf.js on its WebAssembly backend and on the graphics card, beside the drop-in there. */
import type { Way } from "../../bench/way.ts";
import { dropInOf, ownOptimizer, tfjsWay } from "../../bench/ways/tfjs.ts";

export async function openTfjs(): Promise<Way[]> {
  const { tf, setWasmPaths, rmsprop }: typeof import("./library.ts") = await import(
    new URL("tfjs.js", import.meta.url).href
  );
  setWasmPaths(new URL("tfjs/", import.meta.url).href);
  // One thread, as the step() beside it.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  tf.enableProdMode();
  const wasm = tfjsWay(tf, "wasm", ownOptimizer);
  // Some browsers and machines draw nothing in a worker, and tf.js can't be asked before.
  const hasCard = await tf.setBackend("webgl").catch(() => false);
  if (!hasCard) return [wasm];
  const dropIn = dropInOf(async () => rmsprop);
  return [wasm, tfjsWay(tf, "webgl", ownOptimizer), tfjsWay(tf, "webgl", dropIn)];
}
