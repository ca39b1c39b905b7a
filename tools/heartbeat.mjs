/**
 * Says what a script is at, and says so again every two seconds, also while the script's own thread is too busy for it: a
 * compiler or a measurement that runs there gives it no turn. To stderr, since tests read what `npm pack` prints to stdout.
 */
import { writeSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const EVERY_MS = 1900;

/**
 * @typedef {object} Heartbeat
 * @property {(what: string) => void} say Says what begins now. The process may end while it is being said.
 * @property {(what: string) => void} follow Changes what will be said next; nothing for an empty text.
 */

/**
 * @param {string} prefix The beginning of its lines.
 * @param {{ isOneLine?: boolean }} [options] Whether it writes over one line of a terminal.
 * @returns {Heartbeat}
 */
export function heartbeat(prefix, { isOneLine = false } = {}) {
  const columns = process.stderr.columns ?? 80;
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { heartbeat: { prefix, isOneLine, columns } },
    execArgv: [], // a loader or a flag of the script is of no use to it
  });
  worker.unref();
  return {
    say: (what) => worker.postMessage({ what, isNow: true }),
    follow: (what) => worker.postMessage({ what, isNow: false }),
  };
}

if (!isMainThread && workerData?.heartbeat) {
  const { prefix, isOneLine, columns } = workerData.heartbeat;
  let task = "";
  let begun = 0;
  const write = (/** @type {string} */ text) => {
    const line = prefix + text;
    writeSync(2, isOneLine ? `\r\u001b[2K${line.slice(0, columns - 1)}` : `${line}\n`);
  };
  parentPort?.on("message", ({ what, isNow }) => {
    [task, begun] = [what, performance.now()];
    if (!isNow) return;
    write(task);
    timer.refresh();
  });
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    if (task) write(seconds > 0 ? `${task}, for ${seconds} s` : task);
  }, EVERY_MS);
}
