/// <reference lib="esnext.disposable" preserve="true" />
import { Arena } from "./arena.ts";
import { DisposedError, NonFiniteError, OptionError, StaleViewError, SwappedError } from "./errors.ts";
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
  type StepOptions,
} from "./options.ts";
import { type NameOf, type Params, parseParams } from "./params.ts";
import { clipFactor } from "./scalars.ts";

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

  constructor(params: P, options: Options, open: OpenKernel, canShare = () => false) {
    const { inherited, optimizerOptions } = resolveOptions(options);
    const specs = parseParams(params).map(({ tensors, overrides }) => ({
      tensors,
      hyperparameters: resolveHyperparameters(overrides, inherited),
    }));
    const beforeChange = (next: Hyperparameters) => checkClipping(optimizerOptions.globalClipNorm, [next]);
    for (const { hyperparameters } of specs) beforeChange(hyperparameters);

    const { threads } = optimizerOptions;
    const isShared = threads > 1 && optimizerOptions.backend !== "js" && canShare();
    const arena = new Arena({ isShared });
    const hasEma = optimizerOptions.ema !== undefined;
    const groups = specs.map(
      (spec) => new Group(spec.tensors, spec.hyperparameters, arena, { hasEma, beforeChange }),
    );
    const kernel = open(arena.memory, optimizerOptions.backend, threads);
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
    this.state = this.#record((tensor) => tensor.state as unknown as State);
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

  /**
   * How many threads share an update now: 1 until the workers are up, and where there are none to be had, as on a page
   * that isn't cross-origin isolated. Small updates stay on the calling thread all the same.
   */
  get threads(): number {
    return this.#live.kernel.threads ?? 1;
  }

  /**
   * Resolves when the workers are up, or it is known that they won't be: see `threads`. It never rejects. Steps need
   * not wait for it. A process ends without waiting for workers, unless this was asked for.
   */
  get ready(): Promise<void> {
    return this.#live.kernel.ready ?? Promise.resolve();
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
   * @throws ThreadError when a worker has died in the middle of it, and left some parameters updated in part.
   */
  step(options?: StepOptions): boolean {
    const { arena, kernel, groups, options: ours } = this.#live;
    const { gradScale, zeroGrad } = resolveStepOptions(options);
    if (arena.hasGrown) this.#refuseStaleGrads();
    if (this.#emaIsIn) {
      throw new SwappedError(
        "The averages stand in for the parameters: call swapEma() before the next step.",
      );
    }
    for (const group of groups) group.prepare(this.#steps);

    let clip = 1;
    if (this.#measuresGradients) {
      const norm = this.#measureGradients() * Math.abs(gradScale);
      this.#gradNorm = norm;
      if (!Number.isFinite(norm) && ours.nonFinite !== "propagate")
        return this.#refuseNonFinite(ours.nonFinite);
      clip = clipFactor(norm, ours.globalClipNorm);
    }

    const plan = {
      step: this.#steps,
      gradScale: gradScale * clip,
      zeroGrad,
      emaDecay: ours.ema?.decay,
    };
    for (const group of groups) group.update(kernel, plan);
    this.#steps++;
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

  /** Ends the workers and drops the memory. Whatever is called or read afterwards throws `DisposedError`; a second call does nothing. */
  dispose(): void {
    this.#parts?.kernel.dispose?.();
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
