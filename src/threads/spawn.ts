/** Workers of Node, Deno and Bun, or of the browser: what they have in common. */
import { builtinModule } from "../base/builtin.ts";
import type { WorkerStart } from "./protocol.ts";

/** A worker that was started. */
export interface Spawned {
  /** Whether a process waits for it. Nothing waits for a worker unless told to. */
  keepAlive(wanted: boolean): void;
  terminate(): void;
}

interface Events {
  /** It runs. */
  up(): void;
  /** It has ended, or never came up. */
  end(): void;
}

/** What is used of `node:worker_threads`. */
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

/** Whether there are workers to share memory with: not on pages that aren't cross-origin isolated. */
export function canSpawn(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  if (nodeThreads()) return true;
  return typeof Worker === "function" && globalThis.crossOriginIsolated;
}

/** Starts a worker on the text of `worker.ts`. Throws where the page or the process forbids it. */
export function spawn(code: string, start: WorkerStart, events: Events): Spawned {
  const node = nodeThreads();
  if (node) {
    // Neither loaders nor hooks of the program: they would take each worker a part of a second.
    const options = { eval: true, workerData: start, execArgv: [], env: {}, name: "rmsprop-wasm" };
    const worker = new node.Worker(code, options);
    worker.on("message", events.up);
    worker.on("error", events.end);
    worker.on("exit", events.end);
    worker.unref();
    return {
      keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
      terminate: () => void worker.terminate(),
    };
  }
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "rmsprop-wasm" });
  worker.onmessage = () => {
    URL.revokeObjectURL(url);
    events.up();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    URL.revokeObjectURL(url);
    events.end();
  };
  worker.postMessage(start);
  return { keepAlive() {}, terminate: () => worker.terminate() };
}
