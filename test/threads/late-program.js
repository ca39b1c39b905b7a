/**
 * The program that each runtime and browser runs: workers that stand still or die in the middle of a chunk, and pools that
 * end at any moment. It leaves what failed in `globalThis.result`, and prints it where there is a process.
 *
 * Words below byte 1024, which no optimizer uses, tell a worker what to do in its next update: 1 to stand still until that
 * word is 0, 3 to die. A worker that stands still goes on with its update afterwards, as one does that the system froze.
 */
import { RMSprop } from "rmsprop-wasm";
import { load, restore, save } from "rmsprop-wasm/checkpoint";

const PREFIX = `{
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (module, imports) {
    const { update, sumOfSquares } = new Instance(module, imports).exports;
    const words = new Int32Array(imports.env.memory.buffer, 0, 2);
    return { exports: { sumOfSquares, update(...args) {
      if (Atomics.compareExchange(words, 0, 3, 0) === 3) throw new Error("This worker dies");
      if (Atomics.compareExchange(words, 0, 1, 2) === 1) Atomics.wait(words, 0, 2);
      update(...args);
    } } };
  };
} `;

const builtin = globalThis.process?.getBuiltinModule?.("node:worker_threads");
if (builtin) {
  builtin.Worker = class extends builtin.Worker {
    constructor(/** @type {string} */ code, /** @type {object} */ options) {
      super(PREFIX + code, options);
    }
  };
} else {
  globalThis.Blob = class extends Blob {
    constructor(/** @type {BlobPart[]} */ parts = [], /** @type {BlobPropertyBag} */ options = {}) {
      super([PREFIX, ...parts], options);
    }
  };
}

/** @type {string[]} */
const failures = [];
const expect = (/** @type {unknown} */ holds, /** @type {string} */ what) => {
  if (!holds) failures.push(what);
};
const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Whether a promise settles in time. */
const settles = (/** @type {Promise<unknown>} */ promise, /** @type {number} */ ms) =>
  Promise.race([promise.then(() => true), sleep(ms).then(() => false)]);

const COUNT = 1_500_000;
const PARAMS = [{ params: { w: [COUNT] } }, { params: { b: [7] }, lr: 0.1 }];
const OPTIONS = { momentum: 0.9, ema: { decay: 0.9 } };
const make = (/** @type {object} */ options) => new RMSprop(PARAMS, { ...OPTIONS, ...options });
/** @typedef {ReturnType<typeof make>} Made */

/** The words of all planes. */
function wordsOf(/** @type {Made} */ { params, ema, state }) {
  const views = [
    ...Object.values(params),
    ...Object.values(ema),
    ...Object.values(state).flatMap(Object.values),
  ];
  return views.map((view) => new Uint32Array(view.slice().buffer));
}

/** Where two optimizers differ: a plane's index and a word's. */
function firstDifference(/** @type {Made} */ a, /** @type {Made} */ b) {
  const others = wordsOf(b);
  for (const [plane, words] of wordsOf(a).entries()) {
    const i = words.findIndex((word, i) => word !== others[plane]?.[i]);
    if (i >= 0) return { plane, i };
  }
  return undefined;
}

function writeGradients(/** @type {Made} */ { grads }) {
  for (const [k, grad] of Object.values(grads).entries()) {
    for (let i = 0; i < grad.length; i++) grad[i] = ((i * 7 + k) % 13) - 6;
  }
}

/** A pool, the same on one thread, what a worker is told by, and a checkpoint of where both begin. */
async function prepare() {
  const pool = make({ threads: 2 });
  const one = make({});
  await pool.ready;
  expect(pool.threads === 2, "two threads come up");
  for (const optimizer of [pool, one]) {
    writeGradients(optimizer);
    optimizer.step();
  }
  const words = new Int32Array(pool.memory.buffer, 0, 2);
  return { pool, one, words, checkpoint: save(pool), attached: RMSprop.attach(pool.handle) };
}

/** Steps both until the pool throws. */
function stepUntilLost(/** @type {Made} */ pool, /** @type {Made} */ one) {
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    one.step();
    try {
      pool.step();
    } catch (error) {
      return /** @type {any} */ (error);
    }
  }
  return {};
}

async function standStill() {
  const { pool, one, words, checkpoint, attached } = await prepare();
  Atomics.store(words, 0, 1);
  const error = stepUntilLost(pool, one);
  expect(error.name === "ThreadError", `a worker that stands still makes the step throw: ${error}`);
  expect(pool.steps === one.steps && attached.steps === one.steps, "the step counts");
  expect(pool.params.b.join() === one.params.b.join(), "the group behind is updated");
  const lost = error.lost ?? [];
  expect(
    lost.length > 0 && lost.every((/** @type {any} */ { group, name }) => group === 0 && name === "w"),
    "lost names w",
  );
  const before = firstDifference(pool, one);
  expect(
    before && lost.some((/** @type {any} */ { start, end }) => before.i >= start && before.i < end),
    "what differs is lost",
  );

  const snapshot = wordsOf(pool);
  const calls = {
    step: () => pool.step(),
    share: () => pool.step({ shard: { index: 0, count: 2 } }),
    report: () => pool.report(),
    stateDict: () => pool.stateDict(),
    zeroGrad: () => pool.zeroGrad(),
    swapEma: () => pool.swapEma(),
    save: () => save(pool),
    restore: () => restore(pool, checkpoint),
    assign: () => {
      pool.groups[0].centered = true;
    },
    "attached step": () => attached.step(),
    "attached stateDict": () => attached.stateDict(),
  };
  for (const [name, call] of Object.entries(calls)) {
    let refused;
    try {
      call();
    } catch (error) {
      refused = /** @type {Error} */ (error);
    }
    expect(refused?.name === "ThreadError", `${name} is refused while the worker may write: ${refused}`);
  }
  expect(
    wordsOf(pool).every((words, i) => words.every((word, k) => word === snapshot[i]?.[k])),
    "refused calls change nothing",
  );
  const fresh = load(checkpoint);
  expect(fresh.steps === 1, "a new optimizer comes of the checkpoint meanwhile");

  const ready = pool.ready;
  expect(!(await settles(ready, 100)), "ready waits for the late worker");
  Atomics.store(words, 0, 0);
  Atomics.notify(words, 0);
  expect(await settles(ready, 10_000), "ready settles once the late worker has left");
  restore(pool, checkpoint);
  expect(firstDifference(pool, /** @type {any} */ (fresh)) === undefined, "the checkpoint is restored");
  await sleep(100);
  expect(firstDifference(pool, /** @type {any} */ (fresh)) === undefined, "and nothing writes to it later");
  for (const optimizer of [attached, fresh]) {
    writeGradients(/** @type {any} */ (optimizer));
    optimizer.step();
  }
  expect(firstDifference(pool, /** @type {any} */ (fresh)) === undefined, "then all go on");
  pool.dispose();
}

/** A worker that stands still in the second group's tensors: the first one has got its step, and the step counts. */
async function loseSecondGroup() {
  const groups = [{ params: { b: [7] } }, { params: { w: [COUNT] }, lr: 0.1 }];
  const [pool, one] = [2, 1].map((threads) => new RMSprop(groups, { ...OPTIONS, threads }));
  if (!pool || !one) return;
  await pool.ready;
  for (const optimizer of [pool, one]) writeGradients(/** @type {any} */ (optimizer));
  const words = new Int32Array(pool.memory.buffer, 0, 2);
  Atomics.store(words, 0, 1);
  const error = stepUntilLost(/** @type {any} */ (pool), /** @type {any} */ (one));
  const lost = error.lost ?? [];
  expect(
    lost.length > 0 && lost.every((/** @type {any} */ { group, name }) => group === 1 && name === "w"),
    `lost names w of group 1: ${error}`,
  );
  expect(/in group 1/.test(error.message) && error.message.length < 1000, "the message names the group");
  expect(pool.steps === one.steps, "the step that lost a part of the second group counts");
  expect(pool.params.b.join() === one.params.b.join(), "the group before is updated");
  const [mine, others] = [pool.params.w, one.params.w];
  const isLost = (/** @type {number} */ i) =>
    lost.some((/** @type {any} */ { start, end }) => i >= start && i < end);
  expect(
    mine.every((value, i) => value === others[i] || isLost(i)),
    "all that isn't lost is updated",
  );
  Atomics.store(words, 0, 0);
  Atomics.notify(words, 0);
  expect(
    await settles(pool.ready, 10_000),
    "ready settles once the late worker of the second group has left",
  );
  pool.dispose();
}

async function endWhileLate() {
  const { pool, one, words, attached } = await prepare();
  Atomics.store(words, 0, 1);
  expect(stepUntilLost(pool, one).name === "ThreadError", "a second pool loses a chunk");
  const ready = pool.ready;
  pool.dispose();
  expect(await settles(ready, 1_000), "dispose settles ready while a worker is late");
  Atomics.store(words, 0, 0);
  Atomics.notify(words, 0);
  let steps = false;
  for (let i = 0; i < 100 && !steps; i++) {
    await sleep(50);
    try {
      steps = attached.step();
    } catch {}
  }
  expect(steps, "others go on once the late worker has left");
}

async function die() {
  const { pool, one, words, checkpoint } = await prepare();
  Atomics.store(words, 0, 3);
  expect(stepUntilLost(pool, one).name === "ThreadError", "a worker that dies makes the step throw");
  expect(await settles(pool.ready, 10_000), "ready settles once the death is known");
  restore(pool, checkpoint);
  expect(
    firstDifference(pool, /** @type {any} */ (load(checkpoint))) === undefined,
    "the checkpoint is restored then",
  );
  expect(pool.step() && pool.threads === 1, "and the pool goes on alone");
  pool.dispose();
}

async function endEarly() {
  for (const delay of [-1, 0, 1, 3, 10, 30, 100]) {
    const optimizer = make({ threads: 3 });
    const { ready } = optimizer;
    if (delay >= 0) await sleep(delay);
    optimizer.dispose();
    expect(await settles(ready, 5_000), `dispose after ${delay} ms settles ready`);
  }
}

/** The number of this process's threads, where the system tells. */
function countThreads() {
  try {
    const status = globalThis.process.getBuiltinModule("node:fs").readFileSync("/proc/self/status", "utf8");
    return Number(/Threads:\s*(\d+)/.exec(status)?.[1]);
  } catch {
    return undefined;
  }
}

/** Pools that have ended leave no thread behind, asleep or awake. */
async function leaveNoThread() {
  const endPools = async (/** @type {number} */ count) => {
    for (let i = 0; i < count; i++) {
      const pool = new RMSprop({ w: [100] }, { threads: 3 });
      await pool.ready;
      if (i % 2) await sleep(2); // its workers fall asleep
      pool.dispose();
    }
  };
  await endPools(2); // the engine's own threads, too, are there from now on
  const before = countThreads();
  if (before === undefined) return;
  await endPools(12);
  let after = before;
  for (let i = 0; i < 100; i++) {
    after = countThreads() ?? 0;
    if (after < before + 6) return;
    await sleep(100);
  }
  failures.push(`twelve pools have ended, and instead of ${before} threads there are ${after}`);
}

/** @type {any} */ (globalThis).result = await (async () => {
  try {
    await endEarly();
    await leaveNoThread();
    await standStill();
    await loseSecondGroup();
    await endWhileLate();
    await die();
  } catch (error) {
    failures.push(String(/** @type {Error} */ (error).stack ?? error));
  }
  return failures;
})();
if (builtin) console.log(JSON.stringify(failures));
