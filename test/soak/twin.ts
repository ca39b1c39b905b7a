/** One of the optimizers that take the same calls, each in its own way, and the comparison of what they hold. */
import { isDeepStrictEqual } from "node:util";
import { type Optimizer, type Options, type Params, RMSprop, RMSpropError } from "rmsprop-wasm";
import { RMSprop as RMSprop64 } from "rmsprop-wasm/f64";
import { type Content, valuesOf } from "./content.ts";
import { posted } from "./session.ts";

export type Real = Optimizer<Params>;
export type Group = { tensors: { rows: number; width: number; content: Content }[]; hyper: Options };
export interface Plan {
  is64: boolean;
  groups: Group[];
  options: Options;
}

const PAGE = 65_536;
const MARK = 0x5e;
const MARKS = Buffer.alloc(PAGE, MARK);
export const nameOf = (group: number, tensor: number) => `g${group}.t${tensor}`;

/** One optimizer, or several on the same tensors, of which any may take the next call. */
export class Twin {
  crew: Real[];
  /** The caller's pages, all of whose bytes hold `MARK`. */
  readonly #marked: [from: number, to: number][] = [];
  readonly #memory: WebAssembly.Memory | undefined;
  #isOutdated = false;

  constructor(
    readonly kind: "plain" | "marked" | "attached" | "shares" | "restored",
    readonly plan: Plan,
    readonly backend: "js" | "wasm",
  ) {
    const isShared = kind === "attached";
    if (isShared || kind === "marked") {
      this.#memory = new WebAssembly.Memory({ initial: 1, maximum: 2000, shared: isShared });
      this.#mark(0, PAGE);
    }
    this.crew = [this.make()];
    this.attach();
  }

  get class(): typeof RMSprop {
    return (this.plan.is64 ? RMSprop64 : RMSprop) as unknown as typeof RMSprop;
  }

  make(): Real {
    const { groups, options } = this.plan;
    const params = groups.map(({ tensors, hyper }, g) => ({
      ...hyper,
      params: Object.fromEntries(
        tensors.map(({ rows, width, content }, t) => [
          nameOf(g, t),
          { shape: [rows, width], values: valuesOf(rows * width, content) },
        ]),
      ),
    }));
    const all = { ...options, backend: this.backend, memory: this.#memory };
    return new this.class(params as Params, all as Options) as unknown as Real;
  }

  /** Makes the others of a crew, at rates of their own where the owner's are schedules. */
  attach(): void {
    const [owner, ...others] = this.crew;
    for (const other of others) other.dispose();
    this.crew = [owner!];
    if (this.kind !== "attached" || owner!.groups.some((_, i) => this.#isScheduled(i))) return;
    for (let i = 0; i < 2; i++) this.crew.push(this.class.attach(posted(owner!.handle)) as unknown as Real);
  }

  /** Attaches anew those that were attached before rows were counted. Others keep their lists, which nobody gets again. */
  update(): void {
    if (this.#isOutdated) this.attach();
    this.#isOutdated = false;
  }

  #isScheduled(group: number): boolean {
    return typeof (this.plan.groups[group]!.hyper.lr ?? this.plan.options.lr) === "function";
  }

  #mark(from: number, to: number): void {
    new Uint8Array(this.#memory!.buffer, from, to - from).fill(MARK);
    this.#marked.push([from, to]);
  }

  grow(): void {
    if (!this.#memory) return;
    const start = this.#memory.grow(1) * PAGE;
    this.#mark(start, start + PAGE);
  }

  checkMarks(): void {
    for (const [from, to] of this.#marked) {
      const bytes = Buffer.from(this.#memory!.buffer as ArrayBuffer, from, to - from);
      if (bytes.equals(MARKS)) continue;
      const at = bytes.findIndex((byte) => byte !== MARK);
      throw new Error(`${this}: byte ${from + at}, which is the caller's, was changed`);
    }
  }

  /** Writes the gradients of all tensors, through views that are read anew. */
  write(values: readonly (readonly [name: string, values: Float32Array])[], who: number): void {
    const one = this.crew[who % this.crew.length]!;
    for (const [name, array] of values) one.grads[name]!.set(array);
  }

  /** Has one of the crew take a call; the owner, if it says that it can't since it was attached. */
  by<Result>(who: number, act: (one: Real) => Result): Result {
    const one = this.crew[who % this.crew.length]!;
    try {
      return act(one);
    } catch (error) {
      if (one === this.crew[0] || !/^This optimizer was attached/.test((error as Error).message)) throw error;
      this.#isOutdated = true;
      return act(this.crew[0]!);
    }
  }

  toString(): string {
    return `the ${this.kind} twin on ${this.backend}`;
  }

  /** All that its optimizers hold, any NaN as one. */
  look(): object {
    const [owner] = this.crew as [Real];
    let state: unknown;
    try {
      const { skippedSteps: _, ...dict } = owner.stateDict();
      // A table whose rows are all up to date may have counts of them, or none yet.
      const tensors = Object.entries(dict.tensors).map(([name, { rowSteps, ...tensor }]) => {
        const isBehind = rowSteps?.some((count) => count !== dict.steps);
        return [name, isBehind ? { ...tensor, rowSteps } : tensor];
      });
      state = { ...dict, tensors: Object.fromEntries(tensors) };
    } catch (error) {
      state = String(error);
    }
    const planes = Object.keys(owner.params).map((name) => [
      owner.params[name],
      owner.state[name],
      owner.ema[name],
    ]);
    const { steps, learnedLr } = owner;
    return canonical({ state, planes, steps, learnedLr }) as object;
  }

  end(): void {
    for (const one of this.crew) one.dispose();
  }
}

function canonical(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${bytesOf(value as Float32Array)}`;
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, canonical(inner)]));
}

/** A string is compared far quicker than elements are. Which NaN an operation gives is left open to engines. */
function bytesOf(array: Float32Array): string {
  const same = array.some(Number.isNaN) ? array.map((x) => (Number.isNaN(x) ? NaN : x)) : array;
  return Buffer.from(same.buffer as ArrayBuffer, same.byteOffset, same.byteLength).toString("latin1");
}

/** The result of a call, or the error that refuses it. */
export const outcomeOf = (act: () => unknown): unknown => {
  try {
    return { result: act() };
  } catch (error) {
    if (!(error instanceof RMSpropError)) throw error;
    return { name: error.name, message: error.message };
  }
};

export function expectSame(what: string, given: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(given, wanted)) return;
  const show = (value: unknown) =>
    JSON.stringify(value, (_, x) => (Number.isNaN(x) ? "NaN" : x))?.slice(0, 2000);
  throw new Error(`${what}: got ${differing(given, wanted)} in ${show(given)}, expected ${show(wanted)}`);
}

/** The first place in which two values differ. */
function differing(a: unknown, b: unknown, path = ""): string {
  if (typeof a === "object" && typeof b === "object" && a && b) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const [x, y] = [(a as never)[key], (b as never)[key]];
      if (!isDeepStrictEqual(x, y)) return differing(x, y, `${path}.${key}`);
    }
  }
  if (typeof a !== "string" || typeof b !== "string" || !a.includes("Array "))
    return `${path}: ${a} instead of ${b}`;
  const at = [...a].findIndex((char, i) => char !== b[i]);
  return `${path}: ${a.split(" ", 1)} of ${a.length} bytes differs from ${b.length} at ${at}`;
}
