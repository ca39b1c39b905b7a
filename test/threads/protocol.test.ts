/** The protocol by which threads share a job, for any order of events: threads interleave where the test says. */
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import {
  CALLER_IS_PARKED,
  CHUNK_COUNT,
  CHUNK_ELEMENTS,
  CHUNKS,
  COUNT,
  type Control,
  chunksDoneAt,
  controlByteLength,
  DONE,
  EPOCH,
  LOST,
  MAX_BLOCKS,
  MAX_CHUNKS,
  MISALIGNMENT,
  openControl,
  startOf,
  statusAt,
  sumsAt,
  takePart,
} from "../../src/threads/protocol.ts";
import { seeded } from "../support/kernels.ts";

afterEach(() => vi.restoreAllMocks());

const epoch = 7;
const free = epoch << 8;

/** A job of so many chunks of ten elements each. */
function openJob(threads: number, chunks: number): Control {
  const control = openControl(new SharedArrayBuffer(controlByteLength(threads)), threads);
  const { words, job } = control;
  job.set([chunks * 10, 10, 0], COUNT);
  words.fill(free, CHUNKS, CHUNKS + chunks);
  words[CHUNK_COUNT] = chunks;
  words[EPOCH] = epoch;
  return control;
}
const ownersOf = ({ words }: Control) => [...words.subarray(CHUNKS, CHUNKS + words[CHUNK_COUNT]!)];
const nothing = { read() {}, perform() {} };

it("no two threads have a word in common, and all lie in the block", () => {
  for (const threads of [1, 2, 64]) {
    const bytes = controlByteLength(threads);
    const { words, job } = openControl(new SharedArrayBuffer(bytes), threads);
    expect(job.byteOffset).toBe(words.byteLength);
    expect(job.byteOffset + job.byteLength).toBe(bytes);
    const all = Array.from({ length: threads }, (_, thread) => thread);
    const own = all.flatMap((thread) => [statusAt(thread), chunksDoneAt(thread)]);
    expect(new Set(own).size).toBe(2 * threads);
    expect(Math.min(...own)).toBeGreaterThanOrEqual(CHUNKS + MAX_CHUNKS);
    // Those of each thread have a cache line to themselves.
    expect(new Set(own.map((at) => at >> 4)).size).toBe(threads);
    expect(statusAt(threads)).toBe(words.length);
    // Sums follow the job's numbers, one list after the other.
    for (const thread of all) expect(sumsAt(thread + 1) - sumsAt(thread)).toBe(MAX_BLOCKS);
    expect(sumsAt(threads)).toBe(job.length);
    expect(sumsAt(0)).toBeGreaterThanOrEqual(36);
  }
});

it("chunks are cut one behind the other, the first shorter by the misalignment", () => {
  const sizes = fc.integer({ min: 1, max: 100 });
  fc.assert(
    fc.property(sizes, sizes, sizes, (count, chunkElements, shift) => {
      const misalignment = shift % chunkElements;
      const job = new Float64Array(40);
      job[COUNT] = count;
      job[CHUNK_ELEMENTS] = chunkElements;
      job[MISALIGNMENT] = misalignment;
      const chunks = Math.ceil((count + misalignment) / chunkElements);
      const starts = Array.from({ length: chunks + 1 }, (_, chunk) => startOf(job, chunk));
      expect([starts[0], starts.at(-1)]).toEqual([0, count]);
      starts.slice(1, -1).forEach((start, i) => {
        expect(start).toBe((i + 1) * chunkElements - misalignment);
      });
    }),
  );
});

it("a thread alone does its own chunks in order, then those of others from their ends", () => {
  const control = openJob(3, 7);
  const done: number[][] = [];
  const read = (from: number, to: number) => done.push([from / 10, to / 10]);
  expect(takePart(control, 1, epoch, { ...nothing, read })).toBe(true);
  expect(done.map(([from]) => from)).toEqual([2, 3, 6, 5, 4, 1, 0]);
  expect(done.every(([from, to]) => to === from! + 1)).toBe(true);
  expect(ownersOf(control)).toEqual(Array(7).fill(free | DONE | 2));
  expect([0, 1, 2].map((thread) => control.words[chunksDoneAt(thread)])).toEqual([0, 7, 0]);
});

it("each chunk is done once, by the thread that its word names, whoever comes between", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 40 }),
      fc.nat(),
      (threads, chunks, seed) => {
        const control = openJob(threads, chunks);
        const next = seeded(seed);
        const by: number[][] = Array.from({ length: chunks }, () => []);
        const running = new Set<number>();
        const run = (thread: number) => {
          if (running.has(thread)) return;
          running.add(thread);
          let chunk = NaN;
          const between = () => {
            if (next() % 2) run(next() % threads);
          };
          const performer = {
            read(from: number) {
              chunk = from / 10;
              between();
            },
            perform() {
              between();
              by[chunk]!.push(thread);
            },
          };
          expect(takePart(control, thread, epoch, performer)).toBe(true);
          running.delete(thread);
        };
        run(next() % threads);
        expect(ownersOf(control)).toEqual(by.map(([thread]) => free | DONE | (thread! + 1)));
        expect(by.every(({ length }) => length === 1)).toBe(true);
        for (let thread = 0; thread < threads; thread++) {
          const its = by.filter(([owner]) => owner === thread);
          expect(control.words[chunksDoneAt(thread)]).toBe(its.length);
        }
      },
    ),
  );
});

it("a thread whose claim is revoked before it begins performs nothing, and leaves", () => {
  const control = openJob(2, 4);
  const perform = vi.fn();
  const read = () => {
    control.words[CHUNKS] = free | LOST;
  };
  expect(takePart(control, 0, epoch, { read, perform })).toBe(false);
  expect(perform).not.toHaveBeenCalled();
  expect(ownersOf(control)).toEqual([free | LOST, free, free, free]);
});

it("a thread whose claim is revoked while it performs reports nothing, and leaves", () => {
  const control = openJob(2, 4);
  const perform = vi.fn(() => {
    control.words[CHUNKS] = free | LOST;
  });
  expect(takePart(control, 0, epoch, { ...nothing, perform })).toBe(false);
  expect(perform).toHaveBeenCalledTimes(1);
  expect(ownersOf(control)).toEqual([free | LOST, free, free, free]);
});

it("a thread that comes late claims nothing of the next job", () => {
  const control = openJob(2, 4);
  const perform = vi.fn();
  expect(takePart(control, 1, epoch - 1, { ...nothing, perform })).toBe(true);
  expect(perform).not.toHaveBeenCalled();
  expect(ownersOf(control)).toEqual(Array(4).fill(free));
});

it("a thread that loses the race for a chunk goes on to the next", () => {
  const control = openJob(1, 2);
  const { load } = Atomics;
  // Another claims it between the look and the claim.
  vi.spyOn(Atomics, "load").mockImplementation(((words: Int32Array, at: number) => {
    const seen = load(words, at);
    if (at === CHUNKS) words[at] = free | 9;
    return seen;
  }) as typeof load);
  expect(takePart(control, 0, epoch, nothing)).toBe(true);
  expect(ownersOf(control)).toEqual([free | 9, free | DONE | 1]);
});

it("reports wake the calling thread where it sleeps, and cost nothing where it doesn't", () => {
  const notify = vi.spyOn(Atomics, "notify");
  takePart(openJob(2, 1), 1, epoch, nothing);
  expect(notify).not.toHaveBeenCalled();
  const control = openJob(2, 1);
  control.words[CALLER_IS_PARKED] = 1;
  takePart(control, 1, epoch, nothing);
  expect(notify.mock.calls).toEqual([[control.words, CHUNKS]]);
});
