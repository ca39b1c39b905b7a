/**
 * Starts workers by turns where a program has many. Pools that were dropped without `dispose` end when an engine collects
 * them, which it has no reason to do: their weight is in threads, descriptors and memory outside of its heap. A thousand
 * pools dropped in a loop came to 4,000 descriptors and 6 GiB. So beyond a number of workers, further ones wait for a
 * moment, in which garbage is made until a collection ends those that nobody holds.
 */
import type { WorkerStart } from "./protocol.ts";
import { type Events, type Spawned, spawn } from "./spawn.ts";

/** Workers that start without waiting: those of a pool of the most threads. */
const CROWD = 64;
/** A collection is made likely by so many bytes that die at once, every so often, so many times before a worker's start. */
const GARBAGE_BYTES = 2 ** 26;
const PAUSE_MS = 10;
const PATIENCE = 20;

interface Waiting extends Spawned {
  start(): void;
  isWanted: boolean;
}

let alive = 0;
const queue: Waiting[] = [];
let patience = PATIENCE;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Starts a worker as `spawn` does, at once or in its turn. */
export function spawnInTurn(code: string, start: WorkerStart, events: Events): Spawned {
  if (alive < CROWD && queue.length === 0) return spawnCounted(code, start, events);
  let worker: Spawned | undefined;
  const waiting: Waiting = {
    isWanted: false,
    start() {
      try {
        worker = spawnCounted(code, start, events);
        worker.keepAlive(waiting.isWanted);
      } catch {
        events.end();
      }
    },
    keepAlive(wanted) {
      waiting.isWanted = wanted;
      worker?.keepAlive(wanted);
      keepTimerAlive();
    },
    terminate() {
      const i = queue.indexOf(waiting);
      if (i >= 0) queue.splice(i, 1);
      return worker?.terminate();
    },
  };
  queue.push(waiting);
  tick();
  return waiting;
}

/** A worker counts until it has ended, or `terminate` is done with it: until then it keeps its descriptors. */
function spawnCounted(code: string, start: WorkerStart, events: Events): Spawned {
  let isCounted = true;
  const uncount = () => {
    if (isCounted) alive--;
    isCounted = false;
  };
  const end = () => {
    uncount();
    events.end();
  };
  const worker = spawn(code, start, { ...events, end });
  alive++;
  return {
    ...worker,
    async terminate() {
      await worker.terminate();
      uncount();
    },
  };
}

function tick(): void {
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    if (alive >= CROWD && patience-- > 0) new ArrayBuffer(GARBAGE_BYTES);
    else startNext();
    if (queue.length > 0) tick();
  }, PAUSE_MS);
  keepTimerAlive();
}

function startNext(): void {
  patience = PATIENCE;
  do queue.shift()?.start();
  while (alive < CROWD && queue.length > 0);
}

/** A process waits for workers in the queue as it does for others: if their `ready` was read. */
function keepTimerAlive(): void {
  const node = timer as { ref?(): void; unref?(): void } | undefined;
  if (queue.some(({ isWanted }) => isWanted)) node?.ref?.();
  else node?.unref?.();
}
