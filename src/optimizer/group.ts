/** A parameter group: its tensors, the places of their planes, and the hyperparameters that they share. */

import type { FloatArray } from "../base/real.ts";
import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import type { Kernel, Scalars } from "../kernel/contract.ts";
import type { Plane, Segment, StatePlane } from "../kernel/segment.ts";
import type { Arena } from "../memory/arena.ts";
import { type Hyperparameters, learningRateAt } from "../options/hyperparameters.ts";
import { changeOfMissed, Missed } from "../options/missed.ts";
import type { ResolvedOptions } from "../options/options.ts";
import { type Drawn, phaseOf, type StepPlan, scalarsOf } from "../options/scalars.ts";
import type { Shard } from "../options/step-options.ts";
import { clippedScale, type NormedGroup, type TensorNorms } from "./norms.ts";
import type { TensorSpec } from "./params.ts";
import {
  type Kept,
  keptPlanes,
  mergedSegments,
  missingIn,
  reserve,
  statePlanesOf,
  type Wants,
  wantsOf,
} from "./planes.ts";
import { type RowLists, type Rows, refuseCoupled, rowsIn } from "./rows.ts";
import { type ElementRange, shareOf } from "./shard.ts";
import { Tensor, type TensorGroup } from "./tensor.ts";
import type { Weights } from "./weights.ts";

/** The part of its optimizer that a group needs. */
export interface GroupContext {
  arena: Arena;
  options: ResolvedOptions;
  /** Throws if a hyperparameter doesn't fit the optimizer as a whole. */
  beforeChange(next: Hyperparameters): void;
  /** Brings all rows of a group up to date. */
  catchUp(group: Group): void;
}

export class Group implements NormedGroup, TensorGroup {
  readonly tensors: readonly Tensor[];
  /** To be changed by `assign` alone. */
  readonly hyperparameters: Hyperparameters;
  readonly #arena: Arena;
  readonly #beforeChange: GroupContext["beforeChange"];
  /** Tensors that were made here are in planes altogether; of adopted ones, only the state is. */
  readonly #made: Tensor[];
  readonly #adopted: Tensor[];
  /** Placed by another optimizer (`attach`). */
  readonly arePlaced: boolean;
  readonly missed: Missed;
  readonly #options: ResolvedOptions;
  /** With `scheduleFree`. */
  weights: Weights | undefined;
  readonly #catchUp: GroupContext["catchUp"];
  #drawn: Drawn | undefined;
  /** The tensors that are updated as a whole, and those that are updated by rows. */
  #segments: readonly Segment[] = [];
  #tables: readonly Tensor[] = [];
  statePlanes: readonly StatePlane[];
  #lr = 0;
  /** The scalars made last, under all that they were made of; `change` drops them for the hyperparameters. */
  #last: (Omit<StepPlan, "step" | "learned"> & { lr: number; phase: number; scalars: Scalars }) | undefined;

  constructor(specs: readonly TensorSpec[], hyperparameters: Hyperparameters, context: GroupContext) {
    const { arena, options, beforeChange, catchUp } = context;
    this.#catchUp = catchUp;
    this.missed = new Missed(hyperparameters, arena.real);
    this.#arena = arena;
    this.#beforeChange = beforeChange;
    this.hyperparameters = hyperparameters;
    this.tensors = specs.map((spec) => new Tensor(spec, arena, this));
    const flat = hyperparameters.rowwiseState && this.tensors.find(({ shape }) => shape === undefined);
    if (flat) {
      throw new OptionError(
        `Option rowwiseState: ${show(flat.name)} has no shape: give it one, as [100_000, 64], or put it in another group.`,
      );
    }
    this.#made = this.tensors.filter(({ isAdopted }) => !isAdopted);
    this.#adopted = this.tensors.filter(({ isAdopted }) => isAdopted);
    this.arePlaced = specs[0]!.placed !== undefined;
    this.statePlanes = statePlanesOf(hyperparameters);
    this.#options = options;
  }

  /** The planes that a new group needs in the memory. */
  get firstWants(): Wants[] {
    if (this.arePlaced) return [];
    const [, ...state] = keptPlanes(this.hyperparameters, this.#options);
    return wantsOf([this.#made, ["param", "grad", ...state]], [this.#adopted, state]);
  }

  /** Takes over the places that its tensors have got. */
  settle(): void {
    this.#tables = this.tensors.filter(({ rowSteps }) => rowSteps !== 0);
    this.#segments = mergedSegments(
      this.tensors.filter(({ rowSteps }) => rowSteps === 0),
      this.#arena.real.bytes,
    );
  }

  /** Whether each tensor's gradient is clipped to a norm of its own. */
  get clipsByNorm(): boolean {
    return this.hyperparameters.clipNorm !== Infinity;
  }

  /** Does the part of a step that may throw: called for all groups before the first one is updated. */
  prepare(step: number): void {
    this.#lr = this.lrAt(step);
  }

  /** The learning rate of a step, by its schedule and its warm-up. */
  lrAt(step: number): number {
    const lr = learningRateAt(this.hyperparameters.lr, step, this.#arena.real);
    return this.weights?.warmedUp(lr, step) ?? lr;
  }

  update(kernel: Kernel, step: Step): void {
    const { shard, learned } = step;
    const share = shard ? shareOf(this.#segments, shard, this.#arena.real.bytes) : whole;
    const { weights } = this;
    if (weights) {
      this.#drawn = {
        zShare: weights.shareAt(step.step, this.#lr * (learned?.rate ?? 1)),
        beta: weights.beta,
      };
    }
    if (step.step === 0 && weights) this.#begin(share);
    if (this.#tables.length > 0) this.#updateRows(kernel, step);
    if (!this.clipsByNorm) {
      const scalars = this.#scalarsFor(step);
      for (const segment of this.#segments) {
        const part = share(segment);
        if (part) kernel.update(part, scalars);
      }
      return;
    }
    for (const tensor of this.tensors) {
      if (tensor.rowSteps !== 0) continue;
      const part = share(tensor.segment);
      if (part) kernel.update(part, this.#scalarsOf(tensor, step));
    }
  }

  /** Updates the tensors that are updated by rows. */
  #updateRows(kernel: Kernel, step: Step): void {
    const { shard, lists, rows, emaDecay } = step;
    for (const tensor of this.#tables) {
      const scalars = this.#scalarsOf(tensor, step);
      const job = { step: step.step, emaDecay, scalars, isCatchUp: false };
      rows.run(kernel, tensor, this.missed, { ...job, ...rowsIn(tensor, lists?.get(tensor), shard) });
    }
  }

  /** Gives a tensor's scalars, whose gradient may be clipped to a norm of its own. */
  #scalarsOf(tensor: Tensor, step: Step): Scalars {
    if (!this.clipsByNorm) return this.#scalarsFor(step);
    const norm = step.tensorNorms.get(tensor);
    const gradScale = clippedScale(step.gradScale, norm, this.hyperparameters.clipNorm);
    return this.#scalarsFor({ ...step, gradScale });
  }

  /** Brings rows up to date: those of lists, or all. */
  catchUp(kernel: Kernel, plan: StepPlan, rows: Rows, lists: RowLists | undefined): void {
    const { step, emaDecay } = plan;
    const scalars = scalarsOf(this.hyperparameters, 0, plan, this.#arena.real);
    for (const tensor of this.#tables) {
      const list = lists?.get(tensor);
      if (lists && !list) continue;
      const job = { step, emaDecay, scalars, isCatchUp: true };
      rows.run(kernel, tensor, this.missed, { ...job, ...rowsIn(tensor, list, undefined) });
    }
  }

  /** The inner product of the gradients, as the update shapes them, and the way from where the run began. */
  innerProduct(kernel: Kernel, step: Step): number {
    let sum = 0;
    const common = this.clipsByNorm ? undefined : this.#scalarsFor(step);
    for (const tensor of this.tensors) {
      const { gradScale, clipValue } = common ?? this.#scalarsOf(tensor, step);
      const { grad, moved, count } = tensor.segment;
      sum += kernel.innerProduct(grad, moved, count, gradScale, clipValue);
    }
    return sum;
  }

  /** Lets z begin where the parameters are at the first step, whoever has written them by then. */
  #begin(share: (segment: Segment) => Segment | undefined): void {
    const bytes = new Uint8Array(this.#arena.memory.buffer);
    for (const part of this.#segments.map(share)) {
      if (part) bytes.copyWithin(part.z, part.param, part.param + part.count * this.#arena.real.bytes);
    }
  }

  /** The elements of each tensor that belong to a share. */
  rangesIn(shard: Shard): [string, ElementRange][] {
    const { bytes } = this.#arena.real;
    const share = shareOf(this.#segments, shard, bytes);
    return this.tensors.map((tensor) => {
      const { name, segment } = tensor;
      if (tensor.rowSteps !== 0) {
        const { from, to } = rowsIn(tensor, undefined, shard);
        const { width } = tensor.rows!;
        return [name, { start: from * width, end: to * width }];
      }
      const part = share(segment);
      const start = part ? (part.param - segment.param) / bytes : 0;
      return [name, { start, end: start + (part?.count ?? 0) }];
    });
  }

  /** Calls with views of a plane of all tensors, as few as possible. */
  each(plane: Plane, use: (view: FloatArray) => void): void {
    const { real, memory } = this.#arena;
    for (const segment of this.#segments) use(new real.Array(memory.buffer, segment[plane], segment.count));
    for (const tensor of this.#tables) use(tensor.view(plane));
  }

  fill(plane: Plane, value: number): void {
    this.each(plane, (view) => view.fill(value));
  }

  /** Gives the scalars, kept from step to step: for a small model, making them anew takes as long as the update. */
  #scalarsFor(plan: StepPlan): Scalars {
    const drawn = this.#drawn;
    if (keepsMore(this.#options))
      return scalarsOf(this.hyperparameters, this.#lr, plan, this.#arena.real, drawn);
    const last = this.#last;
    const phase = phaseOf(this.hyperparameters, plan);
    const { gradScale, zeroGrad, emaDecay } = plan;
    // 0 and -0 give parameters of -0 other bits.
    if (
      last &&
      Object.is(last.lr, this.#lr) &&
      last.phase === phase &&
      Object.is(last.gradScale, gradScale) &&
      last.zeroGrad === zeroGrad &&
      last.emaDecay === emaDecay
    ) {
      return last.scalars;
    }
    const scalars = scalarsOf(this.hyperparameters, this.#lr, plan, this.#arena.real);
    this.#last = { lr: this.#lr, gradScale, zeroGrad, emaDecay, phase, scalars };
    return scalars;
  }

  /** Changes hyperparameters that were checked by themselves. */
  assign(next: Hyperparameters): void {
    this.check(next);
    reserve(this.#arena, this.wantsFor(next));
    this.change(next);
  }

  /** Checks a change against the optimizer, before anything is placed for it. */
  check(next: Hyperparameters): void {
    this.#beforeChange(next);
    // As the constructor does, so that whatever can be assigned can be saved and loaded.
    for (const { name } of next.sparse ? this.tensors : this.#tables) refuseCoupled(name, next);
    const missing = missingIn(this.tensors, next);
    if (this.arePlaced && missing.length > 0) {
      throw new OptionError(
        `This optimizer was attached to tensors without ${missing.join(" and ")}: set momentum and centered before making the handle.`,
      );
    }
  }

  /** The planes that a change needs in the memory. */
  wantsFor(next: Hyperparameters): Wants[] {
    const [made, adopted] = [this.#made, this.#adopted];
    return wantsOf([made, missingIn(made, next)], [adopted, missingIn(adopted, next)]);
  }

  /** Makes a change for which all is placed. State that comes into use starts from zero, whatever was left there. */
  change(next: Hyperparameters): void {
    if (this.#tables.length > 0 && changeOfMissed(this.hyperparameters, next)) this.#catchUp(this);
    const planes = statePlanesOf(next);
    const fresh = planes.filter((plane) => !this.statePlanes.includes(plane));
    if (fresh.length > 0) this.settle();
    for (const plane of fresh) this.fill(plane, 0);
    this.statePlanes = planes;
    this.#last = undefined;
    this.missed.reset();
    Object.assign(this.hyperparameters, next);
  }
}

/** A step as the groups take part in it. */
export interface Step extends StepPlan {
  /** Needed if each tensor is clipped to a norm of its own. */
  tensorNorms: TensorNorms;
  shard: Shard | undefined;
  lists: RowLists | undefined;
  rows: Rows;
}

const whole = (segment: Segment): Segment | undefined => segment;

/** Whether each step has scalars of its own. */
const keepsMore = ({ scheduleFree, lr }: Kept) => scheduleFree !== undefined || lr === "auto";
