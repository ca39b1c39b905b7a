/**
 * One backend's side of a session: a memory whose bytes are marked where they are the caller's, the optimizers in it, and
 * their comparison with the model, bit by bit.
 */
import { isDeepStrictEqual } from "node:util";
import { type Optimizer, type Options, type Params, RMSprop } from "rmsprop-wasm";
import { RMSprop as RMSpropJs } from "rmsprop-wasm/js";
import type { Plane } from "../../src/kernel/segment.ts";
import { bits } from "../support/kernels.ts";
import { valuesOf } from "./content.ts";
import { type CommonOptions, type GroupPlan, type ModelOptimizer, rateAt, statePlanes } from "./model.ts";

/** The kinds of memories: the optimizer's own, the caller's, with an allocator, and those that threads share. */
export const KINDS = ["own", "given", "shared", "allocated", "threads"] as const;
export type Kind = (typeof KINDS)[number];

export interface Plan {
  kind: Kind;
  groups: GroupPlan[];
  options: CommonOptions;
  /** The most pages that a given memory has. */
  maximum: number;
  /** Whether adopted tensors are given as views. */
  areViews: boolean;
  /** Whether initial values stand in the given memory. */
  areInside: boolean;
}

export type Real = Optimizer<Params>;
type Neighbour = RMSprop<{ n: Float32Array }>;

const PAGE = 65_536;
const MARK = 0x5e;
const MARKS = Buffer.alloc(64 * PAGE, MARK);
const FIRST_PAGES = 2;
/** Where adopted tensors begin in the caller's pages, and where an allocator gives places. */
const ADOPTED_AT = 1024;
const ALLOCATED_AT = FIRST_PAGES * PAGE;

export class World {
  readonly entry: typeof RMSprop | typeof RMSpropJs;
  readonly memory: WebAssembly.Memory;
  readonly first: Real;
  /** Rises when views made before have died. */
  generation = 0;
  /** Byte offsets of gradients, as far as they are known: to ask for one means to hold its view. */
  readonly grads = new Map<string, number>();
  readonly #params = new Map<string, number>();
  #views = new WeakMap<Real, Map<string, Float32Array>>();
  /** The caller's bytes, all of which hold `MARK`. */
  #marked: [from: number, to: number][] = [];
  #buffer: ArrayBufferLike;
  readonly #neighbours: [inside: Neighbour, twin: Neighbour][] = [];

  constructor(
    readonly backend: "wasm" | "js",
    { kind, groups, options, maximum, areViews, areInside }: Plan,
    usesJsEntry: boolean,
  ) {
    const isThreaded = kind === "threads" && backend === "wasm";
    const isOwn = kind === "own" || isThreaded;
    this.entry = backend === "js" && usesJsEntry ? RMSpropJs : RMSprop;
    const isShared = kind === "shared" || kind === "threads";
    const pages = kind === "allocated" ? maximum : FIRST_PAGES;
    const given = isOwn
      ? undefined
      : new WebAssembly.Memory({
          initial: pages,
          maximum: kind === "threads" ? 1000 : Math.max(maximum, 4),
          shared: isShared,
        });
    if (given) this.#markPages(given, 0, given.buffer.byteLength);

    let at = ADOPTED_AT;
    const params = groups.map(({ tensors, hyper }) => ({
      ...hyper,
      params: Object.fromEntries(
        tensors.map(({ name, count, shape, isAdopted, content }) => {
          const values = valuesOf(count, content);
          if (!given || !isAdopted) {
            const isAllZero = values.every((value) => Object.is(value, 0));
            if (isAllZero && shape) return [name, shape];
            if (!given || !areInside || count > 100) return [name, values];
            at += count * 4 + 12;
            return [name, this.#put(given, at - count * 4 - 8, values)];
          }
          const [param, grad] = [at, at + count * 4 + 12];
          at = grad + count * 4 + 4;
          this.#put(given, param, values);
          this.#put(given, grad, new Float32Array(count));
          const view = (ptr: number) => new Float32Array(given.buffer, ptr, count);
          this.grads.set(name, grad);
          return [name, areViews ? { param: view(param), grad: view(grad) } : { param, grad, count }];
        }),
      ),
    }));
    const allocate = kind === "allocated" ? this.#allocator(given!) : undefined;
    const all: Options = { ...options, backend, memory: given, allocate, threads: isThreaded ? 2 : 1 };
    this.#buffer = given?.buffer as ArrayBufferLike;
    this.first = new this.entry(params as Params, all) as unknown as Real;
    this.memory = this.first.memory;
    if (this.first.backend !== backend) throw new Error(`asked for ${backend}, got ${this.first.backend}`);
    this.#buffer ??= this.memory.buffer;
    this.noteGrowth();
    for (const [name, view] of Object.entries(this.first.params)) this.#params.set(name, view.byteOffset);
  }

  /** Writes values into the caller's memory, whose bytes they take from the marked ones. */
  #put({ buffer }: WebAssembly.Memory, ptr: number, values: Float32Array): Float32Array {
    const view = new Float32Array(buffer, ptr, values.length);
    view.set(values);
    this.#take(ptr, ptr + values.byteLength);
    return view;
  }

  #markPages({ buffer }: WebAssembly.Memory, from: number, to: number): void {
    new Uint8Array(buffer, from, to - from).fill(MARK);
    if (to > from) this.#marked.push([from, to]);
  }

  #take(from: number, to: number): void {
    this.#marked = this.#marked.flatMap(([start, end]) => {
      const rest: [number, number][] = [
        [start, Math.min(end, from)],
        [Math.max(start, to), end],
      ];
      return rest.filter(([start, end]) => start < end);
    });
  }

  /** An allocator as modules have them: any alignment of 4 bytes, used bytes, 0 when there is no room. */
  #allocator(memory: WebAssembly.Memory): (byteLength: number) => number {
    let end = ALLOCATED_AT;
    return (byteLength) => {
      const ptr = end + 12;
      if (ptr + byteLength > memory.buffer.byteLength) return 0;
      end = ptr + byteLength;
      this.#take(ptr, end);
      return ptr;
    };
  }

  /** Has the caller grow the memory, and mark its pages. False where the memory can't. */
  grow(pages: number): boolean {
    const { memory } = this;
    try {
      const start = memory.grow(pages) * PAGE;
      this.#markPages(memory, start, start + pages * PAGE);
      return true;
    } catch {
      return false;
    } finally {
      this.noteGrowth();
    }
  }

  /** Bytes of the caller's for a file: in a page of its own, if the memory has one. */
  placeFile(bytes: Uint8Array): Uint8Array {
    const start = this.memory.buffer.byteLength;
    if (!this.grow(Math.ceil(bytes.length / PAGE))) return bytes;
    this.#take(start, start + bytes.length);
    const file = new Uint8Array(this.memory.buffer, start, bytes.length);
    file.set(bytes);
    return file;
  }

  get isShared(): boolean {
    return this.memory.buffer[Symbol.toStringTag] === ("SharedArrayBuffer" as string);
  }

  /** Takes note of a growth, which empties views unless threads share the memory. Gives whether there was one. */
  noteGrowth(): boolean {
    const hasGrown = this.#buffer !== this.memory.buffer;
    this.#buffer = this.memory.buffer;
    if (hasGrown && !this.isShared) this.generation++;
    return hasGrown;
  }

  /** Refuses any difference between an optimizer and its model. */
  compare(real: Real, model: ModelOptimizer): void {
    const views = this.#views.get(real) ?? new Map<string, Float32Array>();
    this.#views.set(real, views);
    const { groups } = model.tensors;
    groups.flat().forEach(({ plan: { name, count } }) => {
      const view = real.params[name]!;
      const last = views.get(name);
      same(`offset of ${name}`, view.byteOffset, this.#params.get(name));
      same(`view of ${name} is the last one`, last === undefined || last.length === 0 || last === view, true);
      views.set(name, view);
      same(`length of ${name}`, view.length, count);
    });
    groups.forEach((tensors, i) => {
      const hyper = model.hypers[i]!;
      const { steps } = model.tensors;
      const lr = rateAt(hyper.lr, steps);
      // A schedule without a rate for the next step is an error to read.
      if (lr >= 0) same(`group ${i}`, { ...real.groups[i] }, { ...hyper, lr });
      else
        same(
          `rate of group ${i}`,
          nameOfError(() => real.groups[i]!.lr),
          "OptionError",
        );
      for (const tensor of tensors) {
        const { name, count } = tensor.plan;
        const state = real.state[name] as unknown as Record<string, Float32Array>;
        same(`planes of ${name}`, Object.keys(state), statePlanes(hyper));
        const planes: [Plane, Float32Array][] = Object.entries(state) as [Plane, Float32Array][];
        planes.push(["param", real.params[name]!]);
        if (model.options.ema) planes.push(["ema", real.ema[name]!]);
        const grad = this.grads.get(name);
        if (grad !== undefined) planes.push(["grad", new Float32Array(this.memory.buffer, grad, count)]);
        for (const [plane, view] of planes) sameBits(`${name}.${plane}`, view, tensor.view(plane));
      }
    });
    const { steps, skippedSteps, gradNorm } = real;
    const { tensors } = model;
    same("steps", [steps, skippedSteps, gradNorm], [tensors.steps, model.skippedSteps, model.gradNorm]);
  }

  /** Makes another optimizer in the same memory, and its twin in a memory of its own. */
  addNeighbour(count: number, seed: number): void {
    const values = valuesOf(count, { form: "ordinary", seed });
    const options = { momentum: 0.9, backend: this.backend };
    const inside = new RMSprop({ n: values }, { ...options, memory: this.memory });
    this.#neighbours.push([inside, new RMSprop({ n: values }, options)]);
  }

  stepNeighbours(seed: number): void {
    for (const optimizer of this.#neighbours.flat()) {
      const { n } = optimizer.grads;
      n.set(valuesOf(n.length, { form: "ordinary", seed }));
      optimizer.step();
    }
  }

  checkNeighbours(): void {
    for (const [inside, twin] of this.#neighbours) sameBits("a neighbour", inside.params.n, twin.params.n);
  }

  /** Refuses a changed byte among the caller's. */
  checkMarks(): void {
    const bytes = Buffer.from(this.memory.buffer as ArrayBuffer);
    for (const [start, end] of this.#marked) {
      for (let from = start; from < end; from += MARKS.length) {
        const to = Math.min(end, from + MARKS.length);
        if (bytes.compare(MARKS, 0, to - from, from, to) === 0) continue;
        const at = bytes.subarray(from, to).findIndex((byte) => byte !== MARK);
        throw new Error(`${this.backend}: byte ${from + at}, which is the caller's, was changed`);
      }
    }
  }
}

function sameBits(what: string, real: Float32Array, model: Float32Array): void {
  // Bytes first, which is quick; they may differ in which NaN they hold.
  if (real.length === model.length && Buffer.compare(bytesOf(real), bytesOf(model)) === 0) return;
  const [a, b] = [bits(real), bits(model)];
  if (Buffer.from(a.buffer).equals(Buffer.from(b.buffer))) return;
  const i = a.findIndex((word, i) => word !== b[i]);
  throw new Error(`${what}[${i}] of ${b.length}: got ${real[i]} among ${real.length}, expected ${model[i]}`);
}

/** The name of the error that a read throws, if it does. */
export function nameOfError(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Compares as `Object.is` does, at any depth. */
export function same(what: string, real: unknown, model: unknown): void {
  if (isDeepStrictEqual(real, model)) return;
  throw new Error(`${what}: got ${show(real)}, expected ${show(model)}`);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === "function") return String(inner);
    return typeof inner === "number" && !Number.isFinite(inner) ? String(inner) : inner;
  });
}
