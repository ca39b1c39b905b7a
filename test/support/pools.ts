/** Helpers for tests of threads: a pool beside the same tensors on one thread, and workers that can be killed. */

import { FLOAT32, FLOAT64, type Real } from "../../src/base/real.ts";
import type { Rows, Scalars } from "../../src/kernel/contract.ts";
import { KERNELS as KERNELS_OF_FLOAT32 } from "../../src/kernel/module.ts";
import { KERNELS as KERNELS_OF_FLOAT64 } from "../../src/kernel/module-f64.ts";
import { PLANES, type Segment } from "../../src/kernel/segment.ts";
import { openWasm } from "../../src/kernel/wasm.ts";
import { openPool, type PoolSettings } from "../../src/threads.ts";
import { ordinaryPlanes } from "./kernels.ts";

interface NodeWorker {
  terminate(): Promise<unknown>;
  once(event: "exit", listener: () => void): unknown;
}
type WorkerClass = new (...args: unknown[]) => NodeWorker;

/** Every worker that is alive, so that tests can end them as nobody else can. */
export const workers = new Set<NodeWorker>();
const builtin = process.getBuiltinModule("node:worker_threads") as unknown as { Worker: WorkerClass };
builtin.Worker = class extends builtin.Worker {
  constructor(...args: unknown[]) {
    super(...args);
    workers.add(this);
    this.once("exit", () => workers.delete(this));
  }
};

/** Settings that cut even the smallest update into shares, and wake all workers for it. */
const EAGER: Partial<PoolSettings> = {
  cutoff: 1,
  wakeCutoff: 1,
  sumCutoff: 1,
  chunksPerThread: 256,
  minChunk: 16,
  minSumChunk: 1,
  timeoutMs: 60_000,
  maxBackoff: 0,
};

const BASE_BYTES = 1024;
const LISTS_BYTES = 65_536;
const UNUSED = 0x5eedca5e;

/** The same tensors twice: `pool` works on one copy, `one` on the other. */
export function makeTwins(
  threads: number,
  count: number,
  settings: Partial<PoolSettings> = {},
  real: Real = FLOAT32,
) {
  const { bytes } = real;
  const KERNELS = real === FLOAT64 ? KERNELS_OF_FLOAT64 : KERNELS_OF_FLOAT32;
  const stride = (Math.ceil((count * bytes) / 64) + 2) * 64;
  const listsPtr = BASE_BYTES + stride * PLANES.length;
  const initial = Math.ceil((listsPtr + LISTS_BYTES) / 65_536);
  const shared = new WebAssembly.Memory({ initial, maximum: 65_536, shared: true });
  const plain = new WebAssembly.Memory({ initial });
  const inner = openWasm(shared, KERNELS);
  const pool = openPool(inner, KERNELS.compileFor(shared), shared, threads, { ...EAGER, ...settings });
  const one = openWasm(plain, KERNELS);
  const hold = { isHeld: false };
  const [sharedWords, plainWords] = [new Uint32Array(shared.buffer), new Uint32Array(plain.buffer)];

  /** The first `count` elements of each plane, some elements behind a cache line's beginning. */
  const segmentOf = (count: number, shift = 0): Segment => {
    const segment = { count } as Segment;
    PLANES.forEach((name, i) => {
      segment[name] = BASE_BYTES + stride * i + shift * bytes;
    });
    return segment;
  };
  return {
    pool,
    /** The kernels with which the calling thread does its part. */
    inner,
    one,
    segmentOf,
    /** Writes ordinary values into both, and a word that nobody writes around them. */
    fill(segment: Segment, seed: number) {
      const planes = ordinaryPlanes(segment.count, seed, real);
      plainWords.fill(UNUSED);
      for (const name of PLANES) new real.Array(plain.buffer).set(planes[name], segment[name] / bytes);
      sharedWords.set(plainWords);
    },
    hold,
    /** One update of both. Throws for elements that the pool has lost. */
    update(segment: Segment, scalars: Scalars) {
      one.update(segment, scalars);
      pool.update(segment, scalars);
      pool.settle([{ tensors: [{ name: "w", segment }] }], hold);
    },
    /** Byte offset of room for lists of rows. */
    listsPtr,
    /** Writes a list into both. */
    write(list: Uint32Array | Float64Array, ptr: number) {
      for (const { buffer } of [plain, shared]) {
        new Uint8Array(buffer).set(new Uint8Array(list.buffer, 0, list.byteLength), ptr);
      }
    },
    /** One update of rows of both, of so many in the tensor. Throws for those that the pool has lost. */
    updateRows(segment: Segment, total: number, scalars: Scalars, rows: Rows) {
      one.updateRows(segment, scalars, rows);
      pool.updateRows(segment, scalars, rows);
      const whole = { ...segment, count: total * segment.count };
      pool.settle([{ tensors: [{ name: "w", segment: whole }] }], hold);
    },
    /** The words that differ. */
    differences(): number[] {
      if (Buffer.from(plain.buffer).equals(Buffer.from(sharedWords.slice().buffer))) return [];
      return [...plainWords.keys()].filter((i) => plainWords[i] !== sharedWords[i]);
    },
    /** Makes the pool's tensors what the others are. */
    mend() {
      sharedWords.set(plainWords);
    },
  };
}
