/** Graphics cards that the browser has taken away from tf.js, and with them the tensors on them. */
import { engine, type KernelBackend, type Tensor } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";

/** The internals of tf.js 4's backends on graphics cards that tell whether the card is still there. */
interface OnCard {
  readonly gpgpu?: { readonly gl?: WebGLRenderingContext; readonly vertexBuffer?: WebGLBuffer };
  readonly device?: { readonly lost?: Promise<unknown> };
}

/** Backends whose card is lost. A context that the browser restores is as good as lost: it is empty. */
const lost = new WeakSet<KernelBackend>();
const watched = new WeakSet<KernelBackend>();
let isAnyLost = false;

function noteLoss(backend: KernelBackend): void {
  lost.add(backend);
  isAnyLost = true;
}

/** Watches over a backend from here on, and finds out whether it is lost already. */
export function watch(backend: KernelBackend): void {
  watched.add(backend);
  const { gpgpu, device } = backend as OnCard;
  const note = () => noteLoss(backend);
  device?.lost?.then(note);
  const { gl, vertexBuffer } = gpgpu ?? {};
  gl?.canvas?.addEventListener?.("webglcontextlost", note);
  // A buffer of a context that was lost and restored isn't one any more.
  if (gl && vertexBuffer && !gl.isBuffer(vertexBuffer)) note();
}

/**
 * @param backend - the one in use.
 * @param variables - gives those whose values are needed.
 * @throws BackendError if the card of either is lost: tf.js would go on, with values that mean nothing.
 */
export function checkForLoss(backend: KernelBackend, variables: () => Iterable<Tensor>): void {
  if (!watched.has(backend)) watch(backend);
  else if ((backend as OnCard).gpgpu?.gl?.isContextLost()) noteLoss(backend);
  if (!isAnyLost) return;
  const { tensorInfo } = engine().state;
  for (const { dataId } of variables()) {
    if (!lost.has(backend) && !lost.has(tensorInfo.get(dataId)?.backend as KernelBackend)) continue;
    throw new BackendError(
      "The browser has taken the graphics card away from tf.js, and with it the values of variables and optimizer: reload the page, and load the model that was saved last.",
    );
  }
}
