/** The second thread of the streams: adds its half whenever the first has started on its own. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";

/** Cells: the count of turns that were started, -1 between timings; the count that the second thread has finished. */
export const STARTED = 0;
export const FINISHED = 32;

/**
 * @param {{ module: WebAssembly.Module, memory: WebAssembly.Memory, param: number, grad: number, squareAvg: number, count: number }} data
 * @param {0 | 1} which
 */
export function addHalf({ module, memory, param, grad, squareAvg, count }, which) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const update = /** @type {(...args: number[]) => void} */ (exports.update);
  const offset = which * count * 4;
  return () => update(param + offset, grad + offset, squareAvg + offset, count);
}

if (!isMainThread) {
  const cells = /** @type {Int32Array} */ (workerData.cells);
  const half = addHalf(workerData, 1);
  Atomics.store(cells, STARTED, -1);
  parentPort?.postMessage("up");
  for (;;) {
    const started = Atomics.load(cells, STARTED);
    if (started === -1) Atomics.wait(cells, STARTED, -1);
    else if (started !== Atomics.load(cells, FINISHED)) {
      half();
      Atomics.add(cells, FINISHED, 1);
    }
  }
}
