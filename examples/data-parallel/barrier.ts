/** A place where threads wait until all of them are there. */
const ARRIVED = 0;
const ROUND = 1;

export const BARRIER_BYTES = 8;

/** The function to wait by, for one of `count` threads that share the buffer. */
export function barrierOn(buffer: SharedArrayBuffer, count: number): () => void {
  const cells = new Int32Array(buffer);
  return () => {
    const round = Atomics.load(cells, ROUND);
    if (Atomics.add(cells, ARRIVED, 1) + 1 === count) {
      Atomics.store(cells, ARRIVED, 0);
      Atomics.store(cells, ROUND, round + 1);
      Atomics.notify(cells, ROUND);
    } else {
      while (Atomics.load(cells, ROUND) === round) Atomics.wait(cells, ROUND, round);
    }
  };
}
