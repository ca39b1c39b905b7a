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
  // Asked here, since tf.js writes an error to the console where a browser or a machine draws nothing in a worker.
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (context === null || !(await tf.setBackend("webgl"))) return [wasm];
  context.getExtension("WEBGL_lose_context")?.loseContext();
  const dropIn = dropInOf(async () => rmsprop);
  return [wasm, tfjsWay(tf, "webgl", ownOptimizer), tfjsWay(tf, "webgl", dropIn)];
}
