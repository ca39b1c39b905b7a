/**
 * Says what a script is at, and says so again every two seconds, also while the script's own thread is too busy for it: a
 * compiler that runs in it gives it no turn. To stderr, since tests read what `npm pack` prints to stdout.
 */
import { writeSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const EVERY_MS = 1900;

/**
 * @param {string} script The name that its lines begin with.
 * @returns {(what: string) => void} Says what begins now. The process may end while it is being said.
 */
export function heartbeat(script) {
  const worker = new Worker(new URL(import.meta.url), { workerData: script });
  worker.unref();
  return (what) => worker.postMessage(what);
}

if (!isMainThread && parentPort) {
  let task = "";
  let begun = 0;
  const write = (/** @type {string} */ text) => writeSync(2, `${workerData}: ${text}\n`);
  parentPort.on("message", (what) => {
    [task, begun] = [what, performance.now()];
    write(task);
    timer.refresh();
  });
  const timer = setInterval(() => {
    if (task) write(`${task}, for ${Math.round((performance.now() - begun) / 1000)} s`);
  }, EVERY_MS);
}
