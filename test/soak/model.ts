/**
 * A model of optimizers on the same tensors: what each call changes, what it gives, and by which errors it is refused. The
 * arithmetic is that of the JavaScript kernel, one tensor at a time; all else, from the norms to the count of steps and the
 * order of shares, is written here once more, in its plainest form.
 */

import { FLOAT32 } from "../../src/base/real.ts";
import { openReference } from "../../src/kernel/reference.ts";
import { PLANES, type Plane, type Segment } from "../../src/kernel/segment.ts";
import { DEFAULTS, type Hyperparameters, resolveHyperparameters } from "../../src/options/hyperparameters.ts";
import type { OptimizerOptions } from "../../src/options/options.ts";
import { scalarsOf } from "../../src/options/scalars.ts";
import type { Shard, StepOptions } from "../../src/options/step-options.ts";
import { type Content, valuesOf } from "./content.ts";

export interface TensorPlan {
  name: string;
  count: number;
  /** Undefined for tensors that are given flat. */
  shape: number[] | undefined;
  /** In the caller's memory. */
  isAdopted: boolean;
  content: Content;
}

export interface GroupPlan {
  tensors: TensorPlan[];
  hyper: Partial<Hyperparameters>;
}

export type CommonOptions = Pick<OptimizerOptions, "globalClipNorm" | "nonFinite" | "ema">;

/** The state that an optimizer saves. */
export interface Saved {
  steps: number;
  skippedSteps: number;
  /** Each group's, `lr` as a number. */
  hypers: Hyperparameters[];
  /** Each tensor's planes, by name. */
  planes: Map<string, Partial<Record<Plane, Float32Array>>>;
}

/** A tensor, all planes of which the model has from the start. */
export class ModelTensor {
  readonly #heap: { buffer: ArrayBuffer };
  readonly segment: Segment;

  constructor(
    readonly plan: TensorPlan,
    memory: { buffer: ArrayBuffer },
    at: number,
  ) {
    this.#heap = memory;
    const places = PLANES.map((plane, i) => [plane, at + i * plan.count * 4]);
    this.segment = { ...(Object.fromEntries(places) as Record<Plane, number>), count: plan.count };
    this.view("param").set(valuesOf(plan.count, plan.content));
  }

  view(plane: Plane): Float32Array {
    return new Float32Array(this.#heap.buffer, this.segment[plane], this.plan.count);
  }

  /** Elements from the start of this tensor to that of the next one in its group. */
  get stride(): number {
    const { count, isAdopted } = this.plan;
    return isAdopted ? count : Math.ceil(count / 4) * 4;
  }
}

/** All that optimizers on the same tensors have in common. */
export class ModelTensors {
  readonly groups: ModelTensor[][];
  readonly kernel;
  steps = 0;
  /** The step that shares have begun: how many it has, and which were taken. */
  shares: { count: number; taken: Set<number> } | undefined;
  isSwapped = false;
  /** How often parameters or state have changed. */
  changes = 0;

  constructor(plans: readonly GroupPlan[]) {
    const sizes = plans.flatMap(({ tensors }) => tensors.map(({ count }) => count * 4 * PLANES.length));
    const memory = { buffer: new ArrayBuffer(sizes.reduce((sum, size) => sum + size, 0)) };
    let at = 0;
    this.groups = plans.map(({ tensors }) =>
      tensors.map((plan) => {
        const tensor = new ModelTensor(plan, memory, at);
        at += plan.count * 4 * PLANES.length;
        return tensor;
      }),
    );
    this.kernel = openReference(memory as unknown as WebAssembly.Memory, "js", FLOAT32);
  }

  get tensors(): ModelTensor[] {
    return this.groups.flat();
  }

  /** The steps before the one to which a share, or a whole step, belongs. */
  before(shard: Shard | undefined): number {
    const { shares } = this;
    const goesOn = shard && shares?.count === shard.count && !shares.taken.has(shard.index);
    return goesOn ? this.steps - 1 : this.steps;
  }

  advance(shard: Shard | undefined): void {
    this.changes++;
    const before = this.before(shard);
    if (!shard) this.shares = undefined;
    else if (before === this.steps) this.shares = { count: shard.count, taken: new Set([shard.index]) };
    else this.shares!.taken.add(shard.index);
    this.steps = before + 1;
  }
}

export function rateAt(lr: Hyperparameters["lr"], step: number): number {
  return typeof lr === "function" ? lr(step) : lr;
}

export function statePlanes({ momentum, centered }: Hyperparameters): Plane[] {
  return [
    "squareAvg",
    ...(momentum > 0 ? ["momentumBuffer" as const] : []),
    ...(centered ? ["gradAvg" as const] : []),
  ];
}

/** Whether these hyperparameters are taken, alone and together. */
export function isAccepted(hyper: Hyperparameters): boolean {
  try {
    resolveHyperparameters(hyper, FLOAT32);
    return true;
  } catch {
    return false;
  }
}

export class ModelOptimizer {
  readonly hypers: Hyperparameters[];
  /** The planes that each group has a place for. */
  readonly placed: Set<Plane>[];
  skippedSteps = 0;
  gradNorm: number | undefined;
  isDisposed = false;

  private constructor(
    readonly tensors: ModelTensors,
    readonly options: CommonOptions,
    hypers: readonly Hyperparameters[],
    placed: readonly Set<Plane>[],
    /** Whether its tensors were placed by another optimizer. */
    readonly isAttached: boolean,
  ) {
    this.hypers = hypers.map((hyper) => ({ ...hyper }));
    this.placed = placed.map((planes) => new Set(planes));
  }

  static make(plans: readonly GroupPlan[], options: CommonOptions): ModelOptimizer {
    const tensors = new ModelTensors(plans);
    const hypers = plans.map(({ hyper }) => ({ ...DEFAULTS, ...hyper }));
    hypers.forEach(({ initialSquareAvg }, i) => {
      for (const tensor of tensors.groups[i]!) tensor.view("squareAvg").fill(initialSquareAvg);
    });
    const placed = hypers.map((hyper) => new Set(statePlanes(hyper)));
    return new ModelOptimizer(tensors, options, hypers, placed, false);
  }

  /** One that is attached with a rate for groups that have a schedule. */
  attach(lr: Hyperparameters["lr"] | undefined): ModelOptimizer {
    const hypers = this.hypers.map((hyper) => ({
      ...hyper,
      lr: typeof hyper.lr === "function" ? lr! : hyper.lr,
    }));
    return new ModelOptimizer(this.tensors, this.options, hypers, this.placed, true);
  }

  get attachNeedsRate(): boolean {
    return this.hypers.some(({ lr }) => typeof lr === "function");
  }

  get #needsTotal(): boolean {
    return this.options.globalClipNorm !== Infinity || this.options.nonFinite !== "propagate";
  }

  get #clips(): boolean {
    return this.hypers.some(({ clipNorm }) => clipNorm !== Infinity);
  }

  /** The sum of squares of each gradient, and the norm that a step goes by. */
  #measure(gradScale: number, known: number | undefined) {
    const isMeasured = this.#clips || (this.#needsTotal && known === undefined);
    const sums = new Map<ModelTensor, number>();
    let total = 0;
    for (const tensor of isMeasured ? this.tensors.tensors : []) {
      const sum = this.tensors.kernel.sumOfSquares(tensor.segment.grad, tensor.plan.count, 1);
      sums.set(tensor, sum);
      total += sum;
    }
    const norm = known ?? (isMeasured ? Math.sqrt(total) * Math.abs(gradScale) : undefined);
    return { sums, norm };
  }

  #isBadNorm(norm: number | undefined): boolean {
    return norm !== undefined && !Number.isFinite(norm) && this.options.nonFinite !== "propagate";
  }

  /** The names of the errors by which a step may be refused; none if it is taken or skipped. */
  refusalsOfStep({ gradScale = 1, zeroGrad, shard, gradNorm }: StepOptions): string[] {
    const { tensors } = this;
    const refusals = new Set<string>();
    if (tensors.isSwapped) refusals.add("SwappedError");
    if (shard && ((zeroGrad && this.#clips) || (gradNorm === undefined && this.#needsTotal))) {
      refusals.add("OptionError");
    }
    const before = tensors.before(shard);
    if (before >= 2 ** 31 - 1 || !this.hasRatesAt(before)) refusals.add("OptionError");
    const { norm } = this.#measure(gradScale, gradNorm);
    if (this.#isBadNorm(norm) && this.options.nonFinite === "throw") refusals.add("NonFiniteError");
    return [...refusals];
  }

  hasRatesAt(step: number): boolean {
    return this.hypers.every(({ lr }) => rateAt(lr, step) >= 0);
  }

  step({ gradScale = 1, zeroGrad = false, shard, gradNorm: known }: StepOptions): boolean {
    const { tensors, options } = this;
    const { sums, norm } = this.#measure(gradScale, known);
    if (norm !== undefined) this.gradNorm = norm;
    if (this.#isBadNorm(norm)) {
      this.skippedSteps++;
      return false;
    }
    const step = tensors.before(shard);
    const clipped = gradScale * factor(norm, options.globalClipNorm);
    this.hypers.forEach((hyper, i) => {
      const lr = rateAt(hyper.lr, step);
      for (const tensor of tensors.groups[i]!) {
        const { start, end } = shard ? this.rangeOf(i, tensor, shard) : { start: 0, end: tensor.plan.count };
        if (start >= end) continue;
        const sum = sums.get(tensor) ?? 0;
        const byTensor = factor(Math.sqrt(sum) * Math.abs(clipped), hyper.clipNorm);
        const plan = { step, gradScale: clipped * byTensor, zeroGrad, emaDecay: options.ema?.decay };
        const segment = { ...tensor.segment, count: end - start };
        for (const plane of PLANES) segment[plane] += start * 4;
        tensors.kernel.update(segment, scalarsOf(hyper, lr, plan, FLOAT32));
      }
    });
    tensors.advance(shard);
    return true;
  }

  /** The elements of a tensor in a share: shares meet at multiples of 16 elements of the group. */
  rangeOf(group: number, tensor: ModelTensor, { index, count }: Shard): { start: number; end: number } {
    const others = this.tensors.groups[group]!;
    const total = others.reduce((sum, { stride }) => sum + stride, 0);
    const position = others.slice(0, others.indexOf(tensor)).reduce((sum, { stride }) => sum + stride, 0);
    const edge = (i: number) => (i === count ? total : Math.floor((total * i) / count / 16) * 16);
    // Elements between tensors belong to shares too.
    const start = Math.max(edge(index) - position, 0);
    const end = Math.min(edge(index + 1) - position, tensor.plan.count);
    return start < end ? { start, end } : { start: 0, end: 0 };
  }

  /** The planes that a change needs and some group has no place for. */
  missingFor(nexts: readonly Hyperparameters[]): Plane[] {
    return nexts.flatMap((next, i) => statePlanes(next).filter((plane) => !this.placed[i]!.has(plane)));
  }

  refusalsOfChange(nexts: readonly Hyperparameters[]): string[] {
    const clipsTwice =
      this.options.globalClipNorm !== Infinity && nexts.some((next) => next.clipNorm !== Infinity);
    const lacksPlace = this.isAttached && this.missingFor(nexts).length > 0;
    return clipsTwice || lacksPlace || !nexts.every(isAccepted) ? ["OptionError"] : [];
  }

  /** State that comes into use starts from zero. */
  change(group: number, next: Hyperparameters): void {
    const before = statePlanes(this.hypers[group]!);
    for (const plane of statePlanes(next)) {
      this.placed[group]!.add(plane);
      if (before.includes(plane)) continue;
      for (const tensor of this.tensors.groups[group]!) tensor.view(plane).fill(0);
    }
    this.hypers[group] = { ...next };
    this.tensors.changes++;
  }

  zeroGrad(): void {
    for (const tensor of this.tensors.tensors) tensor.view("grad").fill(0);
  }

  swap(): boolean {
    for (const tensor of this.tensors.tensors) {
      const param = tensor.view("param").slice();
      tensor.view("param").set(tensor.view("ema"));
      tensor.view("ema").set(param);
    }
    this.tensors.isSwapped = !this.tensors.isSwapped;
    this.tensors.changes++;
    return this.tensors.isSwapped;
  }

  /** Whether the rate of the last step, which files and reports go by, is one. */
  get hasLastRates(): boolean {
    return this.hasRatesAt(Math.max(this.tensors.steps - 1, 0));
  }

  keptPlanes(hyper: Hyperparameters): Plane[] {
    return ["param", ...statePlanes(hyper), ...(this.options.ema ? ["ema" as const] : [])];
  }

  save(): Saved {
    const { steps, groups } = this.tensors;
    const hypers = this.hypers.map((hyper) => ({ ...hyper, lr: rateAt(hyper.lr, Math.max(steps - 1, 0)) }));
    const planes = groups.flatMap((tensors, i) =>
      tensors.map((tensor) => {
        const kept = this.keptPlanes(hypers[i]!).map((plane) => [plane, tensor.view(plane).slice()]);
        return [tensor.plan.name, Object.fromEntries(kept)] as const;
      }),
    );
    return { steps, skippedSteps: this.skippedSteps, hypers, planes: new Map(planes) };
  }

  /** The hyperparameters that a saved state brings: a schedule stays. */
  nextsOf({ hypers }: Saved): Hyperparameters[] {
    return hypers.map((hyper, i) => {
      const { lr } = this.hypers[i]!;
      return { ...hyper, lr: typeof lr === "function" ? lr : hyper.lr };
    });
  }

  load(saved: Saved): void {
    const { tensors } = this;
    this.nextsOf(saved).forEach((next, i) => {
      this.change(i, next);
    });
    for (const tensor of tensors.tensors) {
      const planes = Object.entries(saved.planes.get(tensor.plan.name)!);
      for (const [plane, values] of planes) tensor.view(plane as Plane).set(values);
      // An infinite average becomes the largest number.
      const averages = tensor.view("squareAvg");
      averages.set(averages.map((value) => (value === Infinity ? FLOAT32.largestFinite : value)));
    }
    tensors.steps = saved.steps;
    tensors.shares = undefined;
    this.skippedSteps = saved.skippedSteps;
    this.gradNorm = undefined;
  }
}

/** The factor by which a norm is clipped: none by one that is unknown, or isn't finite. */
function factor(norm: number | undefined, limit: number): number {
  return norm !== undefined && Number.isFinite(norm) && norm > limit ? limit / norm : 1;
}
