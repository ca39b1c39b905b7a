/**
 * The task of the examples that train in other modules' memory: XOR on the plane, a point's target is 1 where its
 * coordinates have the same sign, and −1 elsewhere. The network and its gradients are the module's; the optimizer is
 * attached to the module's memory, and no parameter, gradient or state is ever copied.
 */
import { type Options, RMSprop } from "rmsprop-wasm";
import { type Random, seededRandom } from "./mnist/random.ts";

/** The modules' exports. The globals hold byte offsets: of the parameters, and of their gradients. */
export interface NetworkExports {
  memory: WebAssembly.Memory;
  w1: WebAssembly.Global<"i32">;
  b1: WebAssembly.Global<"i32">;
  w2: WebAssembly.Global<"i32">;
  b2: WebAssembly.Global<"i32">;
  dw1: WebAssembly.Global<"i32">;
  db1: WebAssembly.Global<"i32">;
  dw2: WebAssembly.Global<"i32">;
  db2: WebAssembly.Global<"i32">;
  predict(x: number, y: number): number;
  /** Adds the gradients of the mean loss over `count` points at byte offset `points`; returns that loss. */
  backward(points: number, count: number): number;
}

/** A module, and its own allocator. */
export interface Network {
  exports: NetworkExports;
  allocate(byteLength: number): number;
}

/** An optimizer for the parameters where the module has them, its state placed by the module's own allocator. */
export function attach({ exports, allocate }: Network, options: Options = {}) {
  const { memory, w1, b1, w2, b2, dw1, db1, dw2, db2 } = exports;
  return new RMSprop(
    {
      w1: { param: w1.value, grad: dw1.value, count: 32 },
      b1: { param: b1.value, grad: db1.value, count: 16 },
      w2: { param: w2.value, grad: dw2.value, count: 16 },
      b2: { param: b2.value, grad: db2.value, count: 1 },
    },
    { memory, allocate, ...options },
  );
}

export type Attached = ReturnType<typeof attach>;

/** Small random weights, written where the module has them. */
export function initialise({ params }: Attached, random: Random): void {
  const { w1, w2 } = params;
  for (const weights of [w1, w2]) {
    for (let i = 0; i < weights.length; i++) weights[i] = 2 * random() - 1;
  }
}

const POINT_BYTES = 12; // x, y and target

/** Asks the module for room, which may grow its memory, and fills it with random points; gives their offset. */
export function placePoints({ exports, allocate }: Network, count: number, random: Random): number {
  const offset = allocate(count * POINT_BYTES);
  const points = new Float32Array(exports.memory.buffer, offset, count * 3);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y] = [2 * random() - 1, 2 * random() - 1];
    points.set([x, y, x * y > 0 ? 1 : -1], i);
  }
  return offset;
}

/** One pass over the points in batches; returns the mean loss. `onStep` is called before each update. */
export function pass(
  { exports }: Network,
  optimizer: Attached,
  { points, count, batch }: { points: number; count: number; batch: number },
  onStep?: () => void,
): number {
  let loss = 0;
  for (let first = 0; first < count; first += batch) {
    const size = Math.min(batch, count - first);
    loss += (exports.backward(points + first * POINT_BYTES, size) * size) / count;
    onStep?.();
    optimizer.step({ zeroGrad: true }); // by byte offsets, so that growth of the memory is no matter
  }
  return loss;
}

/** Trains on a few points, then on many that the module's memory has to grow for. Returns the share it gets right. */
export function train(network: Network, log: (line: string) => void, seed = 1): number {
  const random = seededRandom(seed);
  const { memory } = network.exports;
  const optimizer = attach(network, { lr: 0.01 });
  initialise(optimizer, random);

  const few = { points: placePoints(network, 64, random), count: 64, batch: 64 };
  for (let epoch = 1; epoch <= 300; epoch++) {
    const loss = pass(network, optimizer, few);
    if (epoch % 100 === 0) log(`64 points, pass ${epoch}: loss ${loss.toFixed(4)}`);
  }

  const bytesBefore = memory.buffer.byteLength;
  const many = { points: placePoints(network, 20_000, random), count: 20_000, batch: 64 };
  log(`The module's memory grew from ${bytesBefore} to ${memory.buffer.byteLength} bytes.`);
  for (let epoch = 1; epoch <= 3; epoch++) {
    optimizer.groups[0].lr = 0.01 / 2 ** epoch;
    const loss = pass(network, optimizer, many);
    log(`20,000 points, pass ${epoch}: loss ${loss.toFixed(4)}`);
  }
  return accuracy(network.exports, random);
}

/** The share of 1000 new points whose sign the network predicts. */
function accuracy({ predict }: NetworkExports, random: Random): number {
  let right = 0;
  for (let i = 0; i < 1000; i++) {
    const [x, y] = [2 * random() - 1, 2 * random() - 1];
    if (predict(x, y) * x * y > 0) right++;
  }
  return right / 1000;
}

/** A picture of the network's answers on the square from −1 to 1, in characters. */
export function picture({ predict }: NetworkExports): string {
  const row = (y: number) =>
    Array.from({ length: 32 }, (_, i) => (predict((i - 15.5) / 16, y) > 0 ? "#" : ".")).join("");
  return Array.from({ length: 16 }, (_, i) => row((7.5 - i) / 8)).join("\n");
}
