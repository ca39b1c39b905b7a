/** The optimizer for tf.js. */
import {
  backend,
  type KernelBackend,
  Optimizer,
  type Scalar,
  scalar,
  type serialization,
  tidy,
  type Variable,
} from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import { BackendError, DisposedError, NonFiniteError, OptionError } from "../errors.ts";
import { learningRateAt, refuseWithin, type Schedule } from "../options/hyperparameters.ts";
import { clipFactor } from "../options/scalars.ts";
import { averageAt, warmedUp, weigh } from "../options/schedule-free.ts";
import { Averages, SCHEDULE_FREE_NAME } from "./averages.ts";
import { checkForLoss, prepare, wayOn } from "./backends.ts";
import { floatVariableNamed, type Gradients, updatesOf, warnOf } from "./gradients.ts";
import {
  configOf,
  optionsOf,
  type ResolvedOptions,
  type RMSPropOptions,
  refuseAssignments,
  refusePositional,
  resolveRMSPropOptions,
} from "./options.ts";
import { Slots } from "./slots.ts";
import type { Guard, Updater } from "./updater.ts";
import { UsualScalars } from "./usual-scalars.ts";
import { formatSums, formatWeights, keptIn, type NamedTensor, parseSums, parseWeights } from "./weights.ts";

/**
 * The class of the optimizers that `rmsprop` makes. Saved models name it as they name tf.js's own optimizer, so that each
 * of the two loads what the other has saved. `loadLayersModel` makes tf.js's own until this class is registered instead:
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { RMSPropOptimizer } from "rmsprop-wasm/tfjs";
 *
 * tf.serialization.registerClass(RMSPropOptimizer); // from here on, `loadLayersModel` makes these
 * const saved = tf.train.rmsprop(0.01, 0.9, 0.5, 1e-7).getConfig();
 * const optimizer = RMSPropOptimizer.fromConfig(RMSPropOptimizer, saved);
 * optimizer.lr; // → 0.01
 * optimizer.getConfig().momentum; // → 0.5
 * ```
 */
export class RMSPropOptimizer extends Optimizer {
  /** The name in saved models, which is also the name of tf.js's own optimizer. */
  static get className(): string {
    return "RMSProp";
  }

  /** Makes an optimizer of a saved config, this class's or that of tf.js's own. tf.js calls it when it loads a model. */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    return new cls(optionsOf(config));
  }

  #options: ResolvedOptions;
  /** False leaves epsilon to the backend, as tf.js does: half floats need a larger one. */
  readonly #hasOwnEps: boolean;
  readonly #slots: Slots;
  #skippedSteps = 0;
  #guard: Guard | undefined;
  readonly #averages = new Averages();
  #iterations: Variable | undefined;
  #sums: Variable | undefined;
  #hasWarned = false;
  #isDisposed = false;
  readonly #scalars = new UsualScalars();

  /** Takes the options of `rmsprop`. */
  constructor(options?: RMSPropOptions);
  constructor(options: RMSPropOptions = {}, ...others: unknown[]) {
    super();
    refusePositional([options, ...others]);
    refuseAssignments(new.target.prototype);
    this.#options = resolveRMSPropOptions(options);
    this.#hasOwnEps = options.eps !== undefined;
    this.#slots = new Slots(this.#options);
    prepare();
  }

  /**
   * Resolves once updates on tf.js's backend are as fast as they get. On `webgl` and `webgpu` the programs for the graphics
   * card are loaded and tried first, and until then steps run by tf.js's own operations: to the same results, but for the
   * card's rounding. Nothing needs to wait for it.
   *
   * @throws BackendError before tf.js's backend is ready.
   */
  get ready(): Promise<void> {
    return wayOn(this.#liveBackend()).ready;
  }

  /** The learning rate, or the function of `iterations` that gives it. */
  get lr(): number | Schedule {
    return this.#options.lr;
  }

  /** Sets the rate from the next step on. */
  set lr(value: number | Schedule) {
    this.#options = resolveRMSPropOptions({ lr: value }, this.#options);
  }

  /** tf.js's name for `lr`, which programs assign although it is protected there. */
  get learningRate(): number | Schedule {
    return this.lr;
  }

  /** Sets `lr`. */
  set learningRate(value: number | Schedule) {
    this.lr = value;
  }

  /**
   * Count of steps that `nonFinite: "skip"` has skipped, or that "throw" has found out about later. On a graphics card the count is there, and whoever asks for it waits
   * for the card: not at each step, if it is to be fast.
   */
  get skippedSteps(): number {
    this.#countSkips();
    return this.#skippedSteps;
  }

  /** Count of steps taken, without those that were skipped. It waits for a graphics card as `skippedSteps` does. */
  override get iterations(): number {
    this.#countSkips();
    return this.iterations_ ?? 0;
  }

  /** Does what it does in tf.js, and disposes of the gradients and the loss when it throws, which tf.js keeps. */
  override minimize(f: () => Scalar, returnCost?: boolean, varList?: Variable[]): Scalar | null {
    if (varList) this.#slots.note(varList);
    return tidy(() => super.minimize(f, returnCost, varList) as Scalar);
  }

  /**
   * Updates variables in place, from what tf.js's own optimizer takes: gradients that broadcast to their variable's shape,
   * and a variable without a gradient, which stays as it is. A trainable one is named in a warning, once.
   *
   * The same gradient twice for one variable, as `fit` gives it for a layer that two submodels share, makes one update.
   * Different gradients of one variable update it one after the other.
   *
   * @throws ParameterError for a variable that isn't there or isn't float32, and for a gradient of another shape or dtype:
   * nothing has changed then.
   * @throws NonFiniteError with `nonFinite: "throw"`, and nothing has changed. On `webgpu`, which answers later, the step goes
   * without an error, though it changes nothing, and the next call of this or of `getWeights` after the answer throws it.
   * @throws SwappedError between `eval()` and `train()`.
   * @throws BackendError before tf.js's backend is ready.
   */
  override applyGradients(gradients: Gradients): void {
    tidy(() => this.#step(gradients));
  }

  /**
   * Puts the averages of `scheduleFree` in the place of the variables' values, to evaluate with or to save the model without
   * its optimizer. Until `train()`, no step can be taken, and `getWeights` and `setWeights` throw.
   *
   * @throws OptionError without the option `scheduleFree`.
   * @throws ParameterError as long as loaded state hasn't met its variables.
   */
  eval(): void {
    const beta = this.#beta("eval");
    const here = this.#liveBackend();
    const slots = [...this.#slots.claimed()];
    checkForLoss(here, () => this.#slots.planesOf(slots.map(({ variable }) => variable)));
    this.#averages.standIn(slots, wayOn(here).updater, averageAt(beta));
  }

  /**
   * Puts the values back that `eval()` took the place of, to the bit.
   *
   * @throws OptionError without the option `scheduleFree`.
   */
  train(): void {
    this.#beta("train");
    this.#liveBackend();
    this.#averages.standBack();
  }

  #beta(method: string): number {
    const { scheduleFree } = this.#options;
    if (scheduleFree) return scheduleFree.beta;
    throw new OptionError(
      `${method}() is for the averages of scheduleFree, which isn't set: make the optimizer by rmsprop({ scheduleFree: true }).`,
    );
  }

  #step(gradients: Gradients): void {
    const here = this.#liveBackend();
    this.#averages.refuse();
    const { variables, updates, unused } = updatesOf(gradients);
    checkForLoss(here, () => this.#slots.planesOf(variables));
    const { updater } = wayOn(here);
    if (!this.#hasOwnEps && this.#options.eps !== here.epsilon()) {
      this.#options = { ...this.#options, eps: here.epsilon() };
    }
    const options = this.#options;
    const { clipNorm, globalClipNorm, nonFinite, biasCorrection, scheduleFree } = options;
    const followsCount = typeof options.lr === "function" || biasCorrection || scheduleFree !== undefined;
    const taken = followsCount ? this.iterations : 0;
    const given = learningRateAt(options.lr, taken, FLOAT32);
    const lr = scheduleFree ? warmedUp(given, taken, scheduleFree) : given;

    const clips = updates.length > 0 && (clipNorm !== Infinity || globalClipNorm !== Infinity);
    const checks = nonFinite !== "propagate";
    // Numbers that follow the count of steps need to know which of them were taken.
    const guard =
      checks && !followsCount && updates.length > 0 ? this.#guardOf(updater, nonFinite) : undefined;
    const fine = guard?.areFinite(updates);
    const reads = checks && !guard;
    const clipsUnread = clips && !reads && updater.clip !== undefined;
    const measures = (clips || reads) && !clipsUnread;
    const squares = measures ? updates.map(({ gradient }) => updater.sumOfSquares(gradient)) : [];
    const sum = squares.reduce((total, one) => total + one, 0);
    if (reads && !Number.isFinite(sum)) {
      const broken = updates.filter((_, i) => !Number.isFinite(squares[i]));
      if (nonFinite === "throw") throw NonFiniteError.of(broken.map(({ variable }) => variable.name));
      this.#skippedSteps++;
      return;
    }

    const clipped = clipsUnread
      ? updater.clip!(
          updates.map(({ gradient }) => gradient),
          clipNorm,
          globalClipNorm,
        )
      : undefined;
    const globalScale = clipFactor(Math.sqrt(sum), globalClipNorm);
    this.#slots.admit(variables);
    if (unused.length > 0 && !this.#hasWarned) {
      this.#hasWarned = true;
      warnOf(unused);
    }
    const sums = scheduleFree && weigh(this.#averages.sums, taken, lr, scheduleFree);
    const drawn = sums && { zShare: sums.zShare, beta: scheduleFree.beta };
    updates.forEach(({ variable, gradient }, i) => {
      const slot = this.#slots.of(variable);
      const gradScale = measures ? globalScale * clipFactor(Math.sqrt(squares[i]!), clipNorm) : 1;
      const scalars = this.#scalars.of(options, lr, slot.steps, gradScale, followsCount, drawn);
      updater.update(slot, clipped?.[i] ?? gradient, scalars, fine);
      slot.steps++;
    });
    if (sums) this.#averages.sums = sums;
    guard?.note();
    this.iterations_ = (this.iterations_ ?? 0) + 1;
  }

  /** One for all steps, whose count goes on when tf.js's backend changes. */
  #guardOf(updater: Updater, policy: "skip" | "throw"): Guard | undefined {
    if (updater.guard) this.#guard ??= updater.guard(policy);
    return updater.guard && this.#guard;
  }

  /** Takes the steps that a card has left out out of the count. */
  #countSkips(): void {
    const skipped = this.#guard?.take() ?? 0;
    this.#skippedSteps += skipped;
    this.iterations_ = (this.iterations_ ?? 0) - skipped;
  }

  /**
   * Gives the state as tf.js's own optimizer does: `iter`, then the running averages of all variables. The tensors belong
   * to the optimizer and change as training goes on: don't dispose of them.
   *
   * With `scheduleFree`, the points z of all variables follow, and the sums of their weights: tf.js's own optimizer can't read
   * that.
   *
   * @throws SwappedError between `eval()` and `train()`.
   * @throws NonFiniteError with `nonFinite: "throw"` on `webgpu`, for a step before.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    await this.#guard?.arrive();
    const here = this.#liveBackend();
    this.#averages.refuse();
    const saved = this.#slots.save();
    checkForLoss(here, () => saved.flatMap(({ state }) => Object.values(state)));
    this.#iterations = keptIn(this.#iterations, scalar(this.iterations, "int32"));
    if (this.#options.scheduleFree) this.#sums = keptIn(this.#sums, formatSums(this.#averages.sums));
    return formatWeights(this.#iterations, saved, this.#options.centered, this.#sums);
  }

  /**
   * Takes state that `getWeights` gave, of this optimizer or of tf.js's own. Each variable gets the state saved under its
   * name. If no name agrees, as in a model loaded twice, the variables of the next step get the state in their order.
   *
   * `variables` says instead whose state it is, in order: all variables that had been trained, whatever they are called
   * now, frozen ones too. `model.trainableWeights`, read before layers are frozen, is such a list.
   *
   * @throws ParameterError for weights of another number or shape, and nothing has changed. Before the first step the
   * variables aren't known unless they are given: then the first step throws it.
   * @throws SwappedError between `eval()` and `train()`.
   */
  override async setWeights(
    weights: NamedTensor[],
    variables?: readonly { readonly name: string }[],
  ): Promise<void> {
    this.#liveBackend();
    const { iterations, states, sums } = parseWeights(weights, this.#options);
    const [count] = await iterations.data();
    const bits = await sums?.data<"int32">();
    await this.#guard?.arrive();
    this.#liveBackend(); // still
    this.#averages.refuse();
    this.#countSkips();
    this.#slots.load(
      states,
      count!,
      // Gives errors of their own for what is no list of variables.
      variables == null ? undefined : Array.from(variables, (one) => floatVariableNamed(one?.name)),
    );
    if (bits) this.#averages.sums = parseSums(bits);
    this.iterations_ = count!;
  }

  /** The name in saved models, which says whether the state has the averages of `scheduleFree`. */
  override getClassName(): string {
    return this.#options.scheduleFree ? SCHEDULE_FREE_NAME : RMSPropOptimizer.className;
  }

  /** Gives the options by tf.js's names. tf.js's own optimizer reads those that it has, and passes over the others. */
  override getConfig(): serialization.ConfigDict {
    return configOf({ ...this.#options, lr: learningRateAt(this.#options.lr, this.iterations, FLOAT32) });
  }

  /** Frees the state. Later calls throw `DisposedError`, except another `dispose`. */
  override dispose(): void {
    this.#slots.dispose();
    this.#guard?.dispose();
    this.#averages.dispose();
    this.#iterations?.dispose();
    this.#sums?.dispose();
    this.#isDisposed = true;
  }

  #liveBackend(): KernelBackend {
    refuseWithin(this.#options.lr);
    if (this.#isDisposed) throw new DisposedError("This optimizer was disposed of. Make a new one.");
    try {
      return backend();
    } catch (cause) {
      throw new BackendError("tf.js has no backend ready: `await tf.ready()` first.", { cause });
    }
  }
}
