/** The start of workers: as browsers have them, and by turns where a program has many. */
import { RMSprop } from "rmsprop-wasm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WorkerStart } from "../../src/threads/protocol.ts";
import { workerCode } from "../../src/threads/worker.generated.ts";
import { Puppet, puppets, usePuppets } from "../support/puppets.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a browser's workers", () => {
  class PageWorker {
    posted: unknown;
    isTerminated = false;
    onerror?: (event: object) => void;
    onmessage?: () => void;
    constructor(
      readonly url: string,
      readonly options: object,
    ) {
      started.push(this);
    }
    postMessage(message: unknown) {
      this.posted = message;
    }
    terminate() {
      this.isTerminated = true;
    }
  }
  const started: PageWorker[] = [];
  const isRevoked = ({ url }: PageWorker) =>
    fetch(url).then(
      () => false,
      () => true,
    );

  async function start(threads: number) {
    started.length = 0;
    vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
    vi.stubGlobal("crossOriginIsolated", true);
    vi.stubGlobal("Worker", PageWorker);
    const optimizer = new RMSprop({ w: [4] }, { threads });
    await vi.waitFor(() => expect(started).toHaveLength(threads - 1), { interval: 1 });
    return optimizer;
  }

  it("get the code from a blob, the module and the memory by message, and fail without a sound", async () => {
    const optimizer = await start(3);
    const [first, second] = started as [PageWorker, PageWorker];
    const response = await fetch(first.url);
    expect([await response.text(), response.headers.get("content-type")]).toEqual([
      workerCode,
      "text/javascript",
    ]);
    expect(first.options).toEqual({ name: "rmsprop-wasm" });
    expect(second.posted).toMatchObject({ memory: optimizer.memory, threads: 3, thread: 2 });
    first.onmessage!();
    const preventDefault = vi.fn();
    second.onerror!({ preventDefault });
    expect(preventDefault).toHaveBeenCalledTimes(1);
    await optimizer.ready;
    expect(await Promise.all(started.map(isRevoked))).toEqual([true, true]);
  });

  it("are ended with their blob", async () => {
    const optimizer = await start(2);
    const [worker] = started as [PageWorker];
    const { ready } = optimizer;
    expect(await isRevoked(worker)).toBe(false);
    optimizer.dispose();
    expect([worker.isTerminated, await isRevoked(worker)]).toEqual([true, true]);
    await ready;
  });

  it.each([
    ["isn't isolated", { crossOriginIsolated: false, Worker: PageWorker }],
    ["has no workers", { crossOriginIsolated: true, Worker: undefined }],
  ])("are none where the page %s: the memory isn't shared then", async (_, globals) => {
    vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    const optimizer = new RMSprop({ w: [4] }, { threads: 2 });
    expect(optimizer.memory.buffer).toBeInstanceOf(ArrayBuffer);
    await optimizer.ready;
    expect(optimizer.threads).toBe(1);
  });
});

describe("of many workers", () => {
  const CROWD = 64;
  let spawnInTurn: typeof import("../../src/threads/crowd.ts").spawnInTurn;
  /** The timer that waits, if one does, and whether the process waits for it. */
  let timer: { fire(): void; ms: number; isKept: boolean } | undefined;
  let garbage = 0;
  const events = {
    message: vi.fn(),
    end: vi.fn(),
  };

  beforeEach(async () => {
    vi.clearAllMocks();
    usePuppets();
    timer = undefined;
    garbage = 0;
    vi.stubGlobal("setTimeout", (fire: () => void, ms: number) => {
      expect(timer).toBeUndefined();
      const set = { fire, ms, isKept: true };
      timer = set;
      return {
        ref: () => {
          set.isKept = true;
        },
        unref: () => {
          set.isKept = false;
        },
      };
    });
    const Buffer = ArrayBuffer;
    vi.stubGlobal(
      "ArrayBuffer",
      class {
        constructor(bytes: number) {
          garbage += bytes;
          // biome-ignore lint/correctness/noConstructorReturn: what stands here for a buffer is one
          return new Buffer(0);
        }
      },
    );
    vi.resetModules();
    ({ spawnInTurn } = await import("../../src/threads/crowd.ts"));
  });

  const start = () => spawnInTurn("code", { thread: 1 } as WorkerStart, events);
  const startMany = (count: number) => Array.from({ length: count }, start);
  /** Has the waiting timer's time come. */
  const fire = () => {
    const { fire } = timer!;
    timer = undefined;
    fire();
  };
  const fireUntil = (count: number) => {
    let fires = 0;
    for (; puppets.length < count; fires++) fire();
    return fires;
  };

  it("the first 64 start at once, and one more after garbage has had time to be collected", () => {
    startMany(CROWD);
    expect([puppets.length, timer]).toEqual([CROWD, undefined]);
    start();
    expect([puppets.length, timer?.ms]).toEqual([CROWD, 10]);
    // Twenty times, then once more to start.
    expect(fireUntil(CROWD + 1)).toBe(21);
    expect([garbage, timer]).toEqual([20 * 2 ** 26, undefined]);
  });

  it("each waits as long as those before it, and in their order", () => {
    startMany(CROWD);
    const codes = ["one", "two", "three"];
    for (const code of codes) spawnInTurn(code, {} as WorkerStart, events);
    for (let i = 1; i <= codes.length; i++) expect(fireUntil(CROWD + i)).toBe(21);
    expect(puppets.slice(CROWD).map(({ code }) => code)).toEqual(codes);
    expect(timer).toBeUndefined();
  });

  it("those that wait start together when others have ended, after the one timer", () => {
    startMany(CROWD);
    startMany(3);
    fire();
    expect(garbage).toBe(2 ** 26);
    // An end counts once, though two events may tell of it.
    for (const puppet of puppets.slice(0, 2))
      for (const event of ["error", "exit"] as const) puppet.emit(event);
    expect(events.end).toHaveBeenCalledTimes(4);
    fire();
    expect([puppets.length, garbage]).toEqual([CROWD + 2, 2 ** 26]);
    expect(fireUntil(CROWD + 3)).toBe(21);
  });

  it("those that come while others wait get in line, also when there is room again", () => {
    startMany(CROWD);
    spawnInTurn("waits", {} as WorkerStart, events);
    for (const puppet of puppets) puppet.emit("exit");
    spawnInTurn("comes later", {} as WorkerStart, events);
    expect(puppets).toHaveLength(CROWD);
    fire();
    expect(puppets.slice(CROWD).map(({ code }) => code)).toEqual(["waits", "comes later"]);
    expect([garbage, timer]).toEqual([0, undefined]);
  });

  it("one that is ended counts until that is done", async () => {
    const [first] = startMany(CROWD);
    const ended = first!.terminate();
    expect(puppets[0]!.isTerminated).toBe(true);
    start();
    expect(puppets).toHaveLength(CROWD);
    await ended;
    fire();
    expect([puppets.length, garbage]).toEqual([CROWD + 1, 0]);
  });

  it("one that is ended while it waits never starts; one that has started is ended", async () => {
    startMany(CROWD);
    const [first, second] = startMany(2);
    expect(first!.terminate()).toBeUndefined();
    expect(fireUntil(CROWD + 1)).toBe(21);
    expect(timer).toBeUndefined();
    await second!.terminate();
    expect(puppets.at(-1)!.isTerminated).toBe(true);
    // Once more: no other one is taken out of the line for it.
    start();
    first!.terminate();
    expect(fireUntil(CROWD + 2)).toBe(21);
  });

  it("nobody starts when the time comes and those that waited were ended", () => {
    startMany(CROWD);
    void start().terminate();
    puppets[0]!.emit("exit");
    fire();
    expect([puppets.length, timer]).toEqual([CROWD, undefined]);
    start();
    expect(puppets).toHaveLength(CROWD + 1);
  });

  it("a process waits for those alone whose ready was read, in line and afterwards", () => {
    startMany(CROWD);
    const [first, second] = startMany(2);
    expect(timer!.isKept).toBe(false);
    second!.keepAlive(true);
    expect(timer!.isKept).toBe(true);
    fire();
    expect(timer!.isKept).toBe(true);
    second!.keepAlive(false);
    expect(timer!.isKept).toBe(false);
    second!.keepAlive(true);
    fireUntil(CROWD + 2);
    expect(puppets.slice(CROWD).map(({ isKept }) => isKept)).toEqual([false, true]);
    first!.keepAlive(true);
    second!.keepAlive(false);
    expect(puppets.slice(CROWD).map(({ isKept }) => isKept)).toEqual([true, false]);
  });

  it("one that can't be started in its turn has ended, and the next starts", () => {
    startMany(CROWD);
    let isAllowed = false;
    usePuppets(
      class extends Puppet {
        constructor(...args: ConstructorParameters<typeof Puppet>) {
          if (!isAllowed) throw new Error("Refused");
          super(...args);
        }
      },
    );
    startMany(2);
    for (let i = 0; i < 21; i++) fire();
    expect([events.end.mock.calls.length, puppets.length]).toEqual([1, 0]);
    isAllowed = true;
    expect(fireUntil(1)).toBe(21);
    expect(timer).toBeUndefined();
  });

  it("runs where timers are numbers, as in browsers", () => {
    startMany(CROWD);
    vi.stubGlobal("setTimeout", (fire: () => void, ms: number) => {
      timer = { fire, ms, isKept: true };
      return 7;
    });
    start().keepAlive(true);
    expect(fireUntil(CROWD + 1)).toBe(21);
  });
});
