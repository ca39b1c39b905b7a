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
  variable,
} from "@tensorflow/tfjs-core";
import { FLOAT32 } from "../base/real.ts";
import { BackendError, DisposedError, NonFiniteError } from "../errors.ts";
import { learningRateAt, type Schedule } from "../options/hyperparameters.ts";
import { clipFactor, scalarsOf } from "../options/scalars.ts";
import { prepare, wayOn } from "./backends.ts";
import { floatVariableNamed, type Gradients, updatesOf } from "./gradients.ts";
import { checkForLoss } from "./losses.ts";
import {
  configOf,
  optionsOf,
  type ResolvedOptions,
  type RMSPropOptions,
  resolveRMSPropOptions,
} from "./options.ts";
import { Skips } from "./skips.ts";
import { Slots } from "./slots.ts";
import { formatWeights, type NamedTensor, parseWeights } from "./weights.ts";

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
  readonly #skips = new Skips();
  #iterations: Variable | undefined;
  #hasWarned = false;
  #isDisposed = false;

  /** Takes the options of `rmsprop`. */
  constructor(options: RMSPropOptions = {}) {
    super();
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
   * Count of steps that `nonFinite: "skip"` has skipped. On a graphics card the count is there, and whoever asks for it waits
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
   * @throws NonFiniteError with `nonFinite: "throw"`, and nothing has changed.
   * @throws BackendError before tf.js's backend is ready.
   */
  override applyGradients(gradients: Gradients): void {
    tidy(() => this.#step(gradients));
  }

  #step(gradients: Gradients): void {
    const here = this.#liveBackend();
    const { variables, updates, unused } = updatesOf(gradients);
    checkForLoss(here, () => this.#slots.planesOf(variables));
    const { updater } = wayOn(here);
    const options = this.#options;
    if (!this.#hasOwnEps) options.eps = here.epsilon();
    const { clipNorm, globalClipNorm, nonFinite, biasCorrection } = options;
    const followsCount = typeof options.lr === "function" || biasCorrection;
    const lr = learningRateAt(options.lr, followsCount ? this.iterations : 0, FLOAT32);

    const clips = updates.length > 0 && (clipNorm !== Infinity || globalClipNorm !== Infinity);
    const given = updates.map(({ gradient }) => gradient);
    // Numbers that follow the count of steps need to know which of them were taken.
    const skipsUnread = nonFinite === "skip" && !followsCount && updates.length > 0;
    const fine = skipsUnread ? updater.areFinite?.(given) : undefined;
    const guards = nonFinite !== "propagate" && !fine;
    const clipsUnread = clips && !guards && updater.clip !== undefined;
    const measures = (clips || guards) && !clipsUnread;
    const sums = measures ? updates.map(({ gradient }) => updater.sumOfSquares(gradient)) : [];
    const sum = sums.reduce((total, one) => total + one, 0);
    if (guards && !Number.isFinite(sum)) {
      const broken = updates.filter((_, i) => !Number.isFinite(sums[i]));
      if (nonFinite === "throw") throw NonFiniteError.of(broken.map(({ variable }) => variable.name));
      this.#skippedSteps++;
      return;
    }

    const applied = clipsUnread ? updater.clip!(given, clipNorm, globalClipNorm) : given;
    const globalScale = clipFactor(Math.sqrt(sum), globalClipNorm);
    this.#slots.admit(variables);
    if (unused.length > 0) this.#warnOf(unused);
    updates.forEach(({ variable }, i) => {
      const slot = this.#slots.of(variable);
      const gradScale = measures ? globalScale * clipFactor(Math.sqrt(sums[i]!), clipNorm) : 1;
      const plan = { step: slot.steps, gradScale, zeroGrad: false, emaDecay: undefined };
      updater.update(slot, applied[i]!, scalarsOf(options, lr, plan, FLOAT32), fine);
      slot.steps++;
    });
    if (fine) this.#skips.note(fine);
    this.iterations_ = (this.iterations_ ?? 0) + 1;
  }

  /** Takes the steps that a card has skipped out of the count. */
  #countSkips(): void {
    const skipped = this.#skips.take();
    this.#skippedSteps += skipped;
    this.iterations_ = (this.iterations_ ?? 0) - skipped;
  }

  /**
   * Gives the state as tf.js's own optimizer does: `iter`, then the running averages of all variables. The tensors belong
   * to the optimizer and change as training goes on: don't dispose of them.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    await this.#skips.arrive();
    const here = this.#liveBackend();
    const saved = this.#slots.save();
    checkForLoss(here, () => saved.flatMap(({ state }) => Object.values(state)));
    const count = scalar(this.iterations, "int32");
    // One tensor for all saves: tf.js makes one at each save, and nobody disposes of it.
    if (this.#iterations?.isDisposed === false) this.#iterations.assign(count);
    else this.#iterations = variable(count, false);
    count.dispose();
    return formatWeights(this.#iterations, saved, this.#options.centered);
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
   */
  override async setWeights(
    weights: NamedTensor[],
    variables?: readonly { readonly name: string }[],
  ): Promise<void> {
    this.#liveBackend();
    const { iterations, states } = parseWeights(weights, this.#options.centered);
    const [count] = await iterations.data();
    await this.#skips.arrive();
    this.#liveBackend(); // still
    this.#countSkips();
    this.#slots.load(
      states,
      count!,
      variables?.map(({ name }) => floatVariableNamed(name)),
    );
    this.iterations_ = count!;
  }

  /** Gives the options by tf.js's names. tf.js's own optimizer reads those that it has, and passes over the others. */
  override getConfig(): serialization.ConfigDict {
    return configOf({ ...this.#options, lr: learningRateAt(this.#options.lr, this.iterations, FLOAT32) });
  }

  /** Frees the state. Later calls throw `DisposedError`, except another `dispose`. */
  override dispose(): void {
    this.#slots.dispose();
    this.#skips.dispose();
    this.#iterations?.dispose();
    this.#isDisposed = true;
  }

  #warnOf(unused: readonly string[]): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    console.warn(
      `rmsprop-wasm: ${unused.slice(0, 6).join(", ")}${unused.length > 6 ? " and others" : ""}: trainable, but without a gradient, since the loss doesn't depend on them. They stay as they are, as with tf.js's own optimizer.`,
    );
  }

  #liveBackend(): KernelBackend {
    if (this.#isDisposed) throw new DisposedError("This optimizer was disposed of. Make a new one.");
    try {
      return backend();
    } catch (cause) {
      throw new BackendError("tf.js has no backend ready: `await tf.ready()` first.", { cause });
    }
  }
}
