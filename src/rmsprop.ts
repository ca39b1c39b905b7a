/// <reference lib="esnext.disposable" preserve="true" />
import { Arena } from "./arena.ts";
import {
  DisposedError,
  NonFiniteError,
  OptionError,
  ParameterError,
  StaleViewError,
  SwappedError,
} from "./errors.ts";
import { Group, type Tensor } from "./group.ts";
import type { Backend, Kernel, OpenKernel } from "./kernel.ts";
import {
  checkClipping,
  type Hyperparameters,
  type OptimizerOptions,
  type Options,
  resolveHyperparameters,
  resolveOptions,
  resolveStepOptions,
  type Shard,
  type StepOptions,
} from "./options.ts";
import { type NameOf, type Params, parseParams, type TensorSpec } from "./params.ts";
import { clipFactor } from "./scalars.ts";
import { show } from "./show.ts";

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
  options: OptimizerOptions;
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
  /** With `ema`: the running averages of the parameters by name, flat views. Without it, empty. */
  readonly ema: Readonly<Record<NameOf<P>, Float32Array>>;
  #parts: Parts | undefined;
  #steps = 0;
  #skippedSteps = 0;
  #gradNorm: number | undefined;
  #emaIsIn = false;
  /** Of the step that was taken last, where it was taken by shares. */
  readonly #shares = new Set<number>();

  constructor(params: P, options: Options, open: OpenKernel) {
    const { inherited, optimizerOptions } = resolveOptions(options);
    const specs = parseParams(params).map(({ tensors, overrides }) => ({
      tensors,
      hyperparameters: resolveHyperparameters(overrides, inherited),
    }));
    const { memory, allocate, globalClipNorm, ema } = optimizerOptions;
    const beforeChange = (next: Hyperparameters) => checkClipping(globalClipNorm, [next]);
    for (const { hyperparameters } of specs) beforeChange(hyperparameters);

    const arena = new Arena(memory, allocate);
    const hasEma = ema !== undefined;
    adopt(
      specs.flatMap((spec) => spec.tensors),
      arena,
      memory !== undefined,
    );
    const groups = specs.map(
      (spec) => new Group(spec.tensors, spec.hyperparameters, { arena, hasEma, beforeChange }),
    );
    const kernel = open(arena.memory, optimizerOptions.backend);
    const tensors = new Map(groups.flatMap((group) => group.tensors.map((tensor) => [tensor.name, tensor])));
    for (const { name, values } of specs.flatMap((spec) => spec.tensors)) {
      if (values !== undefined) tensors.get(name)!.view("param").set(values);
    }
    for (const group of groups) {
      const { initialSquareAvg } = group.hyperparameters;
      if (initialSquareAvg !== 0) group.fill("squareAvg", initialSquareAvg);
    }

    this.#parts = { arena, kernel, groups, tensors, options: optimizerOptions };
    this.params = this.#record((tensor) => tensor.view("param"));
    this.grads = this.#record((tensor) => tensor.view("grad"));
    const groupOf = new Map(groups.flatMap((group) => group.tensors.map((tensor) => [tensor, group])));
    this.state = this.#record((tensor) => tensor.state(groupOf.get(tensor)!.statePlanes) as unknown as State);
    this.ema = hasEma ? this.#record((tensor) => tensor.view("ema")) : this.#record(undefined);
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

  /** How many steps `nonFinite: "skip"` has skipped. They count as no step. */
  get skippedSteps(): number {
    return this.#skippedSteps;
  }

  /**
   * The L2 norm of all gradients at the last step, scaled but not clipped. Undefined before a step has measured it,
   * which takes `clipNorm`, `globalClipNorm` or a `nonFinite` other than "propagate".
   */
  get gradNorm(): number | undefined {
    return this.#gradNorm;
  }

  /**
   * Updates all parameters and their state from the gradients, in place.
   *
   * @returns whether the update was applied: false for one that `nonFinite: "skip"` has skipped.
   * @throws StaleViewError when the memory has grown since gradients were read: what was written to the views of
   * before is lost. Read `grads` again, write the gradients, and step.
   * @throws NonFiniteError when a gradient isn't finite, with `nonFinite: "throw"`.
   * @throws OptionError for bad options, and when a schedule of `lr` gives no learning rate.
   */
  step(options?: StepOptions): boolean {
    const { arena, kernel, groups, options: ours } = this.#live;
    const { gradScale, zeroGrad, shard, gradNorm } = resolveStepOptions(options);
    if (arena.hasGrown) this.#refuseStaleGrads();
    if (this.#emaIsIn) {
      throw new SwappedError(
        "The averages stand in for the parameters: call swapEma() before the next step.",
      );
    }
    const step = this.#stepOf(shard);
    for (const group of groups) group.prepare(step);

    let clip = 1;
    if (this.#measuresGradients) {
      const norm = this.#normOf(shard, gradNorm, gradScale);
      this.#gradNorm = norm;
      if (!Number.isFinite(norm) && ours.nonFinite !== "propagate")
        return this.#refuseNonFinite(ours.nonFinite);
      clip = clipFactor(norm, ours.globalClipNorm);
    }

    const plan = { step, gradScale: gradScale * clip, zeroGrad, emaDecay: ours.ema?.decay };
    for (const group of groups) group.update(kernel, plan, shard);
    this.#steps = step + 1;
    if (shard) this.#shares.add(shard.index);
    else this.#shares.clear();
    return true;
  }

  /** Sets all gradients to zero. */
  zeroGrad(): void {
    for (const group of this.#live.groups) group.fill("grad", 0);
  }

  /**
   * Exchanges the parameters and their running averages where they lie, to evaluate with the averages; the second
   * call puts them back. No step can be taken in between.
   *
   * @returns whether the averages stand in for the parameters now.
   * @throws OptionError without the option `ema`.
   */
  swapEma(): boolean {
    const { tensors, options } = this.#live;
    if (options.ema === undefined) {
      throw new OptionError(
        "There are no averages to swap: make the optimizer with the option ema, as { decay: 0.999 }.",
      );
    }
    for (const tensor of tensors.values()) {
      const param = tensor.view("param");
      const ema = tensor.view("ema");
      const kept = param.slice();
      param.set(ema);
      ema.set(kept);
    }
    this.#emaIsIn = !this.#emaIsIn;
    return this.#emaIsIn;
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

  /**
   * How many steps came before the one that a share belongs to: a share that this optimizer hasn't updated since belongs
   * to the same step as the last one; the same share again begins the next.
   */
  #stepOf(shard: Shard | undefined): number {
    const goesOn = shard !== undefined && this.#shares.size > 0 && !this.#shares.has(shard.index);
    if (!goesOn) this.#shares.clear();
    return goesOn ? this.#steps - 1 : this.#steps;
  }

  #normOf(shard: Shard | undefined, gradNorm: number | undefined, gradScale: number): number {
    const { groups, options } = this.#live;
    const clipsTensors = groups.some((group) => group.clipsByNorm);
    if (gradNorm !== undefined && !clipsTensors) return gradNorm;
    if (
      shard !== undefined &&
      gradNorm === undefined &&
      (options.globalClipNorm !== Infinity || options.nonFinite !== "propagate")
    ) {
      throw new OptionError(
        "A shard with globalClipNorm or nonFinite needs the norm of all gradients, which one share doesn't tell: hand in gradNorm.",
      );
    }
    const measured = this.#measureGradients() * Math.abs(gradScale);
    return gradNorm ?? measured;
  }

  get #measuresGradients(): boolean {
    const { groups, options } = this.#live;
    return (
      options.globalClipNorm !== Infinity ||
      options.nonFinite !== "propagate" ||
      groups.some((group) => group.clipsByNorm)
    );
  }

  /** The norm of all gradients as they lie there. Tensors are added up in the order in which they were named. */
  #measureGradients(): number {
    const { kernel, tensors } = this.#live;
    let sum = 0;
    for (const tensor of tensors.values()) {
      tensor.sumOfSquares = kernel.sumOfSquares(tensor.segment.grad, tensor.count);
      sum += tensor.sumOfSquares;
    }
    return Math.sqrt(sum);
  }

  #refuseNonFinite(policy: "skip" | "throw"): false {
    if (policy === "throw") {
      const names = [...this.#live.tensors.values()]
        .filter(({ sumOfSquares }) => !Number.isFinite(sumOfSquares))
        .map(({ name }) => name);
      throw new NonFiniteError(
        `The gradients of ${names.join(", ")} hold a NaN or an infinity. Nothing was changed; see to the loss, or set nonFinite to "skip".`,
      );
    }
    this.#skippedSteps++;
    return false;
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
  #record<Value>(read: ((tensor: Tensor) => Value) | undefined): Readonly<Record<NameOf<P>, Value>> {
    const record = Object.create(null);
    for (const name of read ? this.#live.tensors.keys() : []) {
      Object.defineProperty(record, name, {
        enumerable: true,
        get: () => read!(this.#live.tensors.get(name)!),
      });
    }
    return Object.freeze(record);
  }
}

/** Checks that the tensors which stay where they lie do lie in the memory, apart from each other. */
function adopt(specs: readonly TensorSpec[], arena: Arena, hasMemory: boolean): void {
  const adopted = specs.filter((spec) => spec.adopted !== undefined);
  if (adopted.length === 0) return;
  if (!hasMemory) {
    throw new ParameterError(
      `Parameter ${show(adopted[0]!.name)} is to be adopted where it lies: say in which memory, by options.memory.`,
    );
  }
  arena.locate(
    adopted.flatMap(({ name, count, adopted }) => [
      { name: `param of ${show(name)}`, place: adopted!.param, count },
      { name: `grad of ${show(name)}`, place: adopted!.grad, count },
    ]),
  );
}
