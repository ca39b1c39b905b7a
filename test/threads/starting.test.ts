/** The start and the end of pools: where there are threads and where not, what workers are given, and who is waited for. */
import { OptionError, RMSprop } from "rmsprop-wasm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BackendError } from "../../src/errors.ts";
import { KERNELS } from "../../src/kernel/module.ts";
import { backendsOf, type LoadPool, openThreads } from "../../src/threads/lazy.ts";
import { AWAKE, DISMISSED, EPOCH, LEFT, PARKED } from "../../src/threads/protocol.ts";
import { workerCode } from "../../src/threads/worker.generated.ts";
import { makeTwins, workers } from "../support/pools.ts";
import { type Puppet, puppets, usePuppets } from "../support/puppets.ts";

afterEach(async () => {
  for (const puppet of puppets.splice(0)) puppet.emit("exit");
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await Promise.all([...workers].map((worker) => worker.terminate()));
});

describe("threads", () => {
  const isShared = (memory: WebAssembly.Memory) =>
    Object.prototype.toString.call(memory.buffer) === "[object SharedArrayBuffer]";

  it("share a memory, which is as it always was without them", () => {
    expect(isShared(new RMSprop({ w: [4] }).memory)).toBe(false);
    expect(isShared(new RMSprop({ w: [4] }, { threads: 1 }).memory)).toBe(false);
    const optimizer = new RMSprop({ w: [4] }, { threads: 2 });
    expect(isShared(optimizer.memory)).toBe(true);
    optimizer.dispose();
  });

  it("take a shared memory of the caller's, and refuse one that isn't", async () => {
    const make = (shared: boolean) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared });
      return new RMSprop({ w: [4] }, { memory, threads: 2 });
    };
    const optimizer = make(true);
    await optimizer.ready;
    expect(optimizer.threads).toBe(2);
    optimizer.dispose();
    expect(() => make(false)).toThrow(OptionError);
    expect(() => make(false)).toThrow(/threads: got 2, but options.memory isn't shared.*leave threads out/);
  });

  it("end with dispose, also when that comes before they are up", async () => {
    const early = new RMSprop({ w: [4] }, { threads: 2 });
    const { ready } = early;
    early.dispose();
    await ready;
    const optimizer = new RMSprop({ w: [4] }, { threads: 3 });
    await optimizer.ready;
    expect(workers.size).toBe(2);
    optimizer.dispose();
    await vi.waitFor(() => expect(workers.size).toBe(0));
  });

  it.each([0, -1, 1.5, 65, NaN, Infinity, "2", null, true])("can't be %o", (threads) => {
    const make = () => new RMSprop({ w: [4] }, { threads: threads as number });
    expect(make).toThrow(OptionError);
    expect(make).toThrow(/threads: got .*, expected a whole number from 1 to 64/);
  });

  describe("stay at one, and say so,", () => {
    const expectOne = async (options = {}) => {
      const optimizer = new RMSprop({ w: [400_000] }, { threads: 4, lr: 0.5, alpha: 0, eps: 1, ...options });
      await optimizer.ready;
      expect(optimizer.threads).toBe(1);
      optimizer.grads.w.fill(1);
      optimizer.step();
      expect(new Set(optimizer.params.w)).toEqual(new Set([-0.25]));
      return optimizer;
    };

    it("on the JavaScript backend", () => expectOne({ backend: "js" }));

    it("on a page that isn't isolated: no workers of Node, and none to share memory with", async () => {
      vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
      vi.stubGlobal("Worker", class {});
      vi.stubGlobal("crossOriginIsolated", false);
      expect(isShared((await expectOne()).memory)).toBe(false);
    });

    it("where there is no SharedArrayBuffer", async () => {
      vi.stubGlobal("SharedArrayBuffer", undefined);
      expect(isShared((await expectOne()).memory)).toBe(false);
    });

    it("where workers are forbidden", async () => {
      const forbidden = class {
        constructor() {
          throw new Error("Refused by the content security policy");
        }
      };
      vi.stubGlobal("process", { ...process, getBuiltinModule: () => ({ Worker: forbidden }) });
      await expectOne();
    });
  });
});

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  for (let i = 0; i < 10; i++) await Promise.resolve();
  return settled;
}

describe("a pool", () => {
  const make = (threads = 3) => {
    usePuppets();
    const twins = makeTwins(threads, 64);
    return { ...twins, all: [...puppets] as Puppet[] };
  };

  it("starts workers of Node without the program's loaders, hooks and environment, and holds up no process", () => {
    const { all } = make();
    expect(all.map(({ code, isKept, thread }) => [code, isKept, thread])).toEqual([
      [workerCode, false, 1],
      [workerCode, false, 2],
    ]);
    const { workerData, ...options } = all[0]!.options as never as Record<string, object>;
    expect(options).toEqual({ eval: true, execArgv: [], env: {}, name: "rmsprop-wasm" });
    expect(workerData).toMatchObject({ threads: 3, planes: 8, arity: 33, bytes: 4 });
    expect(all[0]!.control.words.buffer).toBe(all[1]!.control.words.buffer);
  });

  it.each(["message", "error", "exit"] as const)(
    "is ready when each worker has told of itself, by %s",
    async (event) => {
      const { pool, all } = make();
      const { ready } = pool;
      expect(all.map(({ isKept }) => isKept)).toEqual([true, true]);
      all[0]!.status = AWAKE;
      all[0]!.emit("message");
      expect(await isSettled(ready)).toBe(false);
      expect(all.map(({ isKept }) => isKept)).toEqual([false, true]);
      if (event === "message") all[1]!.status = PARKED;
      all[1]!.emit(event);
      expect(await isSettled(ready)).toBe(true);
      expect(all[1]!.status).toBe(event === "message" ? PARKED : LEFT);
      expect(pool.threads).toBe(event === "message" ? 3 : 2);
      await pool.ready;
    },
  );

  it("without a worker that can't be started counts it as one that has left", async () => {
    let isFirst = true;
    const { Puppet } = await import("../support/puppets.ts");
    usePuppets(
      class extends Puppet {
        constructor(...args: ConstructorParameters<typeof Puppet>) {
          if (isFirst) {
            isFirst = false;
            throw new Error("Refused by the content security policy");
          }
          super(...args);
        }
      },
    );
    const { pool } = makeTwins(3, 64);
    const [second] = puppets as [Puppet];
    expect(puppets.map(({ thread }) => thread)).toEqual([2]);
    expect(second.control.words[EPOCH]).toBe(0);
    second.wake();
    await pool.ready;
    expect(pool.threads).toBe(2);
  });

  it("tells workers to leave, wakes them for it, ends them, and awaits nothing more", async () => {
    const { pool, all } = make(4);
    all[0]!.wake();
    all[1]!.status = LEFT;
    all[2]!.emit("exit");
    const { ready } = pool;
    const notify = vi.spyOn(Atomics, "notify");
    pool.dispose();
    const { words } = all[0]!.control;
    expect(all.map(({ status }) => status)).toEqual([DISMISSED, LEFT, LEFT]);
    expect(words[EPOCH]).toBe(1);
    expect(notify.mock.calls).toEqual([[words, EPOCH]]);
    expect(all.map(({ isTerminated }) => isTerminated)).toEqual([true, true, false]);
    expect(await isSettled(ready)).toBe(true);
    expect(all.some(({ isKept }) => isKept)).toBe(false);
    expect(pool.threads).toBe(1);
  });

  it("that was dropped has its workers told to leave, once the engine collects it", async () => {
    usePuppets();
    const held: [object, object][] = [];
    let collect: ((workers: object) => void) | undefined;
    vi.stubGlobal(
      "FinalizationRegistry",
      class {
        constructor(callback: typeof collect) {
          collect = callback;
        }
        register(object: object, value: object) {
          held.push([object, value]);
        }
      },
    );
    vi.resetModules();
    const { makeTwins } = await import("../support/pools.ts");
    const pools = [makeTwins(2, 64).pool, makeTwins(2, 64).pool];
    expect(held.map(([object]) => object)).toEqual(pools);
    collect!(held[1]![1]);
    expect(puppets.map(({ isTerminated }) => isTerminated)).toEqual([false, true]);
    expect(puppets.map(({ status }) => status)).toEqual([0, DISMISSED]);
  });
});

describe("a pool that is loaded on demand", () => {
  const memory = () => new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
  /** A pool whose every member is told from others. */
  const makePool = () => ({
    update: vi.fn(),
    updateRows: vi.fn(),
    hasLate: vi.fn(() => true),
    sumOfSquares: vi.fn(() => 1),
    innerProduct: vi.fn(() => 2),
    settle: vi.fn(),
    threads: 7,
    ready: Promise.resolve(),
    dispose: vi.fn(),
  });

  it("does all once it is there, and the calling thread until then", async () => {
    const pool = makePool();
    const openPool = vi.fn(() => pool);
    const shared = memory();
    const kernel = openThreads(shared, KERNELS, 5, async () => ({ openPool }));
    expect([kernel.threads, kernel.hasLate!()]).toEqual([1, false]);
    expect(kernel.sumOfSquares(1024, 4, 1)).toBe(0);
    kernel.settle!([], { isHeld: false });
    await kernel.ready;
    const [alone, module, ...rest] = openPool.mock.calls[0] as unknown as unknown[];
    expect(alone).toMatchObject({ backend: "wasm" });
    expect(module).toBeInstanceOf(WebAssembly.Module);
    expect(rest).toEqual([shared, 5]);
    expect([kernel.threads, kernel.hasLate!()]).toEqual([7, true]);
    const list = [[{}, {}] as never, { isHeld: false }] as const;
    kernel.update(...([1, 2] as unknown as Parameters<typeof kernel.update>));
    kernel.updateRows(...([1, 2, 3] as unknown as Parameters<typeof kernel.updateRows>));
    kernel.settle!(...list);
    expect([kernel.sumOfSquares(3, 4, 5), kernel.innerProduct(6, 7, 8, 9, 10)]).toEqual([1, 2]);
    expect(pool.update).toHaveBeenCalledWith(1, 2);
    expect(pool.updateRows).toHaveBeenCalledWith(1, 2, 3);
    expect(pool.settle).toHaveBeenCalledWith(...list);
    expect(pool.sumOfSquares).toHaveBeenCalledWith(3, 4, 5);
    expect(pool.innerProduct).toHaveBeenCalledWith(6, 7, 8, 9, 10);
    kernel.dispose!();
    expect(pool.dispose).toHaveBeenCalledTimes(1);
  });

  it("isn't opened any more once it was disposed of", async () => {
    const openPool = vi.fn(makePool);
    const kernel = openThreads(memory(), KERNELS, 5, async () => ({ openPool }));
    kernel.dispose!();
    await kernel.ready;
    expect(openPool).not.toHaveBeenCalled();
    expect(kernel.threads).toBe(1);
  });

  it("waits for its workers", async () => {
    let up = () => {};
    const ready = new Promise<void>((resolve) => {
      up = resolve;
    });
    const kernel = openThreads(memory(), KERNELS, 5, async () => ({
      openPool: () => ({ ...makePool(), ready }),
    }));
    expect(await isSettled(kernel.ready!)).toBe(false);
    up();
    expect(await isSettled(kernel.ready!)).toBe(true);
  });

  it("leaves all to one thread where it can't be loaded", async () => {
    const kernel = openThreads(memory(), KERNELS, 5, async () => {
      throw new TypeError("Failed to fetch dynamically imported module");
    });
    await kernel.ready;
    expect(kernel.threads).toBe(1);
    expect(kernel.sumOfSquares(1024, 4, 1)).toBe(0);
    kernel.dispose!();
  });

  it("is asked for by several threads in a shared memory alone", async () => {
    const loadPool = vi.fn((async () => ({ openPool: makePool })) as LoadPool);
    const { open, real } = backendsOf(KERNELS, loadPool);
    expect(real).toBe(KERNELS.real);
    const plain = new WebAssembly.Memory({ initial: 1 });
    for (const wanted of ["wasm", undefined] as const) {
      expect([open(plain, wanted, 2), open(memory(), wanted, 1)].map(({ backend }) => backend)).toEqual([
        "wasm",
        "wasm",
      ]);
      expect(loadPool).not.toHaveBeenCalled();
      expect(open(memory(), wanted, 2).backend).toBe("wasm");
      expect(loadPool).toHaveBeenCalledTimes(1);
      loadPool.mockClear();
    }
    expect(open(memory(), "js", 2).backend).toBe("js");
    expect(loadPool).not.toHaveBeenCalled();
  });

  it("isn't there where WebAssembly can't run: then JavaScript does, unless WebAssembly was asked for", () => {
    const broken = {
      ...KERNELS,
      compileFor() {
        throw new BackendError("no SIMD");
      },
    };
    const { open } = backendsOf(broken, async () => ({ openPool: makePool }));
    for (const threads of [1, 2]) {
      expect(open(memory(), undefined, threads).backend).toBe("js");
      expect(() => open(memory(), "wasm", threads)).toThrow("no SIMD");
    }
  });
});
