/**
 * Workers that tests move by hand, in the thread of the test: each order of events can be tried, takes no time, and is the same in
 * every run. What stands still, or dies in the middle of a chunk, does so where the test says.
 */
import { vi } from "vitest";
import {
  AWAKE,
  CHUNKS,
  type Control,
  DISMISSED,
  DONE,
  EPOCH,
  LEFT,
  openControl,
  type PARKED,
  STARTING,
  statusAt,
  type WorkerStart,
} from "../../src/threads/protocol.ts";

type Listener = () => void;

/** In place of Node's `Worker`. */
export class Puppet {
  /** Whether the process waits for it, as it does for each at first. */
  isKept = true;
  isTerminated = false;
  readonly #listeners = new Map<string, Listener>();

  constructor(
    readonly code: string,
    readonly options: { readonly workerData: WorkerStart },
  ) {
    puppets.push(this);
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, listener);
  }
  ref(): void {
    this.isKept = true;
  }
  unref(): void {
    this.isKept = false;
  }
  async terminate(): Promise<number> {
    this.isTerminated = true;
    return 1;
  }

  /** Has the pool hear of an event: a `message`, an `error` or the `exit`. */
  emit(event: "message" | "error" | "exit"): void {
    this.#listeners.get(event)!();
  }

  get thread(): number {
    return this.options.workerData.thread;
  }
  get control(): Control {
    const { control, threads } = this.options.workerData;
    return openControl(control, threads);
  }
  get status(): number {
    return this.control.words[statusAt(this.thread)]!;
  }
  set status(status: number) {
    this.control.words[statusAt(this.thread)] = status;
  }

  /** Comes up, and tells so. */
  wake(status: typeof AWAKE | typeof PARKED = AWAKE): void {
    this.status = status;
    this.emit("message");
  }
  /** Goes as it was told to, and tells so. */
  leave(): void {
    this.status = LEFT;
    this.emit("message");
  }

  /** Claims a chunk of the job and reports nothing. */
  claim(chunk: number): void {
    const { words } = this.control;
    words[CHUNKS + chunk] = (words[EPOCH]! << 8) | (this.thread + 1);
  }
  /** Reports a chunk that it has claimed. */
  report(chunk: number): void {
    this.control.words[CHUNKS + chunk]! |= DONE;
  }

  /** Comes up and runs the program of `worker.ts` in this thread until it leaves; `asleep` is called where it would sleep. */
  run(program: Program, asleep: Listener = () => this.dismiss()): void {
    this.status = STARTING;
    const wait = vi.spyOn(Atomics, "wait").mockImplementation(() => {
      asleep();
      return "ok";
    });
    try {
      program(this.options.workerData);
    } finally {
      wait.mockRestore();
    }
  }
  /** Is told to leave. */
  dismiss(): void {
    this.status = DISMISSED;
  }
}

/** All that were started since `usePuppets`, in order. */
export const puppets: Puppet[] = [];

/** Has pools start puppets, until globals are unstubbed. */
export function usePuppets(worker: unknown = Puppet): void {
  puppets.length = 0;
  const { getBuiltinModule } = process;
  vi.stubGlobal("process", {
    ...process,
    getBuiltinModule: (name: string) =>
      name === "node:worker_threads" ? { Worker: worker } : getBuiltinModule(name),
  });
}

/** The program of a worker, which is started by a message as in a browser. */
export type Program = (start: WorkerStart) => void;

/** Loads it anew. */
export async function loadProgram({ post = () => {}, close = () => {} } = {}): Promise<Program> {
  let listener: ((event: { data: WorkerStart }) => void) | undefined;
  vi.stubGlobal("addEventListener", (_: string, given: typeof listener) => {
    listener = given;
  });
  vi.stubGlobal("postMessage", post);
  vi.stubGlobal("close", close);
  const { process } = globalThis;
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
  vi.resetModules();
  await import("../../src/threads/worker.ts");
  vi.stubGlobal("process", process);
  return (data) => listener!({ data });
}

/** Does something before each exchange by which threads claim chunks, until mocks are restored. */
export function beforeExchanges(act: (words: Int32Array, at: number, old: number, to: number) => void): void {
  const { compareExchange } = Atomics;
  vi.spyOn(Atomics, "compareExchange").mockImplementation(((
    words: Int32Array,
    at: number,
    old: number,
    to: number,
  ) => {
    act(words, at, old, to);
    return compareExchange(words, at, old, to);
  }) as typeof compareExchange);
}

/** A clock that tests turn, in place of the machine's: it goes on by `tick` milliseconds with each look at it. */
export function stopClock(tick = 0): { now: number } {
  const clock = { now: 1000 };
  vi.spyOn(performance, "now").mockImplementation(() => {
    clock.now += tick;
    return clock.now;
  });
  return clock;
}
