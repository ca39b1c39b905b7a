/** Starts workers, by one interface for Node, Deno and Bun on the one hand and browsers on the other. */
import { builtinModule } from "../base/builtin.ts";
import type { WorkerStart } from "./protocol.ts";

/** A worker that was started. */
export interface Spawned {
  /** Says whether the process waits for this worker before it ends. Without a call it doesn't. */
  keepAlive(wanted: boolean): void;
  /** Ends the worker, but not in the middle of a chunk except in Node; only there does an event tell of it. */
  terminate(): PromiseLike<unknown> | undefined;
}

/** Each may come more than once. */
export interface Events {
  /** The worker tells that its state has changed: it is up, or it has left. */
  message(): void;
  /** The worker has ended, or never came up. */
  end(): void;
}

/** The part of `node:worker_threads` that is used here. */
interface NodeThreads {
  Worker: new (
    code: string,
    options: object,
  ) => {
    on(event: string, listener: () => void): void;
    ref(): void;
    unref(): void;
    terminate(): Promise<unknown>;
  };
  workerData: unknown;
  parentPort: { postMessage(message: unknown): void } | null;
}

export function nodeThreads(): NodeThreads | undefined {
  return builtinModule("node:worker_threads") as NodeThreads | undefined;
}

/** Whether this place has workers that can share memory: a page that isn't cross-origin isolated has none. */
export function canSpawn(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  if (nodeThreads()) return true;
  return typeof Worker === "function" && globalThis.crossOriginIsolated;
}

/** Starts a worker on the text of `worker.ts`. Throws if the page or the process forbids it. */
export function spawn(code: string, start: WorkerStart, events: Events): Spawned {
  const node = nodeThreads();
  if (node) {
    // Leaves out the program's loaders and hooks, which would cost each worker a part of a second.
    const options = { eval: true, workerData: start, execArgv: [], env: {}, name: "rmsprop-wasm" };
    const worker = new node.Worker(code, options);
    worker.on("message", events.message);
    worker.on("error", events.end);
    worker.on("exit", events.end);
    worker.unref();
    return {
      keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
      terminate: () => worker.terminate(),
    };
  }
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "rmsprop-wasm" });
  worker.onmessage = () => {
    URL.revokeObjectURL(url);
    events.message();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    URL.revokeObjectURL(url);
    events.end();
  };
  worker.postMessage(start);
  return {
    keepAlive() {},
    terminate() {
      URL.revokeObjectURL(url);
      worker.terminate();
      return undefined;
    },
  };
}
