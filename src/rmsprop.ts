/// <reference lib="esnext.disposable" preserve="true" />
import { Arena } from "./arena.ts";
import { DisposedError, StaleViewError } from "./errors.ts";
import { Group, type Tensor } from "./group.ts";
import type { Backend, Kernel, OpenKernel } from "./kernel.ts";
import { type Hyperparameters, type Options, resolveHyperparameters, resolveOptions } from "./options.ts";
import { type NameOf, type Params, parseParams } from "./params.ts";

/** The running averages of one tensor, flat views with as many elements as it has. */
export interface State {
  /** Running average of the squared gradient. */
  readonly squareAvg: Float32Array;
  /** With `momentum`. */
  readonly momentumBuffer?: Float32Array;
  /** Running average of the gradient, with `centered`. */
  readonly gradAvg?: Float32Array;
}

/** All that `dispose` drops. */
interface Parts {
  arena: Arena;
  kernel: Kernel;
  groups: readonly Group[];
  tensors: ReadonlyMap<string, Tensor>;
}

/**
 * The RMSprop optimizer, without a backend: each entry of the package makes an `RMSprop` of it by handing in `open`.
 * Parameters, gradients and state lie in one linear memory, and `step()` updates them where they lie.
 */
export class Optimizer<const P extends Params> {
  /** The parameters by name: flat views over the memory as it is when the name is read. */
  readonly params: Readonly<Record<NameOf<P>, Float32Array>>;
  /** The gradients by name, which the caller writes before each step: flat views, as in `params`. */
  readonly grads: Readonly<Record<NameOf<P>, Float32Array>>;
  /** The running averages by name. */
  readonly state: Readonly<Record<NameOf<P>, State>>;
  /** The hyperparameters of each group. Assigning one is checked, and holds from the next step. */
  readonly groups: readonly [Hyperparameters, ...Hyperparameters[]];
  #parts: Parts | undefined;
  #steps = 0;

  constructor(params: P, options: Options, open: OpenKernel) {
    const { hyperparameters, backend } = resolveOptions(options);
    const specs = parseParams(params).map(({ tensors, overrides }) => ({
      tensors,
      hyperparameters: resolveHyperparameters(overrides, hyperparameters),
    }));
    const arena = new Arena();
    const groups = specs.map((spec) => new Group(spec.tensors, spec.hyperparameters, arena));
    const kernel = open(arena.memory, backend);
    const tensors = new Map(groups.flatMap((group) => group.tensors.map((tensor) => [tensor.name, tensor])));
    for (const { name, values } of specs.flatMap((spec) => spec.tensors)) {
      if (values !== undefined) tensors.get(name)!.view("param").set(values);
    }

    this.#parts = { arena, kernel, groups, tensors };
    this.params = this.#record((tensor) => tensor.view("param"));
    this.grads = this.#record((tensor) => tensor.view("grad"));
    this.state = this.#record((tensor) => tensor.state as unknown as State);
    const [first, ...others] = groups.map((group) => group.hyperparameters);
    this.groups = Object.freeze([first!, ...others] as const);
  }

  /** How many steps were taken. */
  get steps(): number {
    return this.#steps;
  }

  /** The memory in which everything lies. */
  get memory(): WebAssembly.Memory {
    return this.#live.arena.memory;
  }

  /** Which implementation runs. */
  get backend(): Backend {
    return this.#live.kernel.backend;
  }

  /**
   * Updates all parameters and their state from the gradients, in place.
   *
   * @returns whether the update was applied.
   * @throws StaleViewError when the memory has grown since gradients were read: what was written to the views of
   * before is lost. Read `grads` again, write the gradients, and step.
   */
  step(): boolean {
    const { arena, kernel, groups } = this.#live;
    if (arena.hasGrown) this.#refuseStaleGrads();
    for (const group of groups) kernel.update(group.segment, group.scalars);
    this.#steps++;
    return true;
  }

  /** Sets all gradients to zero. */
  zeroGrad(): void {
    for (const group of this.#live.groups) group.zeroGrad();
  }

  /** Drops the memory. Whatever is called or read afterwards throws `DisposedError`; a second call does nothing. */
  dispose(): void {
    this.#parts = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #live(): Parts {
    if (this.#parts === undefined) {
      throw new DisposedError("This optimizer was disposed of. Make a new one, or call dispose() later.");
    }
    return this.#parts;
  }

  #refuseStaleGrads(): void {
    const { arena, tensors } = this.#live;
    const stale = [...tensors.values()].filter((tensor) => tensor.hasStaleGrad).map((tensor) => tensor.name);
    if (stale.length > 0) {
      throw new StaleViewError(
        `The memory grew after the gradients of ${stale.join(", ")} were read, so what was written to those views is lost. Read them from \`grads\` again, write the gradients, and step.`,
      );
    }
    arena.acceptGrowth();
  }

  /** Names resolve when they are read, so that a record outlives the growth of the memory, but not `dispose`. */
  #record<Value>(read: (tensor: Tensor) => Value): Readonly<Record<NameOf<P>, Value>> {
    const record = Object.create(null);
    for (const name of this.#live.tensors.keys()) {
      Object.defineProperty(record, name, {
        enumerable: true,
        get: () => read(this.#live.tensors.get(name)!),
      });
    }
    return Object.freeze(record);
  }
}
