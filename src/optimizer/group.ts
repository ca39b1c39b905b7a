/** A parameter group: its tensors, where their planes lie, and the hyperparameters that they share. */

import { OptionError } from "../errors.ts";
import {
  type Kernel,
  PLANES,
  type Plane,
  type Scalars,
  type Segment,
  type StatePlane,
} from "../kernel/contract.ts";
import { type Arena, Place, paddedByteLength } from "../memory/arena.ts";
import { guardHyperparameters, type Hyperparameters, learningRateAt } from "../options/options.ts";
import { areScalarsSteady, clipFactor, flushesAt, type StepPlan, scalarsOf } from "../options/scalars.ts";
import type { Shape, TensorSpec } from "./params.ts";
import { type ElementRange, type Shard, shareOf } from "./shard.ts";

/** What a group needs to know of its optimizer. */
export interface GroupContext {
  arena: Arena;
  hasEma: boolean;
  /** Throws where a hyperparameter doesn't fit the optimizer as a whole. */
  beforeChange(next: Hyperparameters): void;
}

export class Group {
  readonly tensors: readonly Tensor[];
  /** As the caller reads and sets them. */
  readonly hyperparameters: Hyperparameters;
  readonly #arena: Arena;
  readonly #beforeChange: GroupContext["beforeChange"];
  /** Unguarded, for what happens at each step. */
  readonly #values: Hyperparameters;
  /** Tensors that were made here stand in whole planes; of adopted ones, only the state does. */
  readonly #made: Tensor[];
  readonly #adopted: Tensor[];
  /** By another optimizer, whose places they are. */
  readonly #arePlaced: boolean;
  #segments: readonly Segment[] = [];
  #statePlanes: StatePlane[] = [];
  #lr = 0;
  #last: { lr: number; gradScale: number; zeroGrad: boolean; flushes: boolean; scalars: Scalars } | undefined;

  constructor(specs: readonly TensorSpec[], hyperparameters: Hyperparameters, context: GroupContext) {
    const { arena, hasEma, beforeChange } = context;
    this.#arena = arena;
    this.#beforeChange = beforeChange;
    this.#values = hyperparameters;
    this.tensors = specs.map((spec) => new Tensor(spec, arena, this));
    this.#made = this.tensors.filter(({ isAdopted }) => !isAdopted);
    this.#adopted = this.tensors.filter(({ isAdopted }) => isAdopted);
    const [, ...state] = planesOf(hyperparameters, hasEma);
    this.#arePlaced = specs[0]!.placed !== undefined;
    if (!this.#arePlaced) {
      this.#allocate(this.#made, ["param", "grad", ...state]);
      this.#allocate(this.#adopted, state);
    }
    this.#statePlanes = statePlanesOf(hyperparameters);
    this.#segments = joined(this.tensors);
    this.hyperparameters = guardHyperparameters(hyperparameters, (next) => {
      this.reserve(next);
      this.change(next);
    });
  }

  /** The planes of state in use now. */
  get statePlanes(): readonly StatePlane[] {
    return this.#statePlanes;
  }

  /** Whether each tensor's gradient is clipped to a norm of its own. */
  get clipsByNorm(): boolean {
    return this.#values.clipNorm !== Infinity;
  }

  /** What of a step may throw: called for all groups before the first one is updated. */
  prepare(step: number): void {
    this.#lr = learningRateAt(this.#values.lr, step);
  }

  update(kernel: Kernel, plan: StepPlan, shard: Shard | undefined): void {
    const share = shard ? shareOf(this.#segments, shard) : whole;
    if (!this.clipsByNorm) {
      const scalars = this.#scalarsFor(plan);
      for (const segment of this.#segments) {
        const part = share(segment);
        if (part) kernel.update(part, scalars);
      }
      return;
    }
    for (const tensor of this.tensors) {
      const norm = Math.sqrt(tensor.sumOfSquares) * Math.abs(plan.gradScale);
      const gradScale = plan.gradScale * clipFactor(norm, this.#values.clipNorm);
      const part = share(tensor.segment);
      if (part) kernel.update(part, this.#scalarsFor({ ...plan, gradScale }));
    }
  }

  /** Which elements of each tensor are in a share. */
  rangesIn(shard: Shard): [string, ElementRange][] {
    const share = shareOf(this.#segments, shard);
    return this.tensors.map(({ name, segment }) => {
      const part = share(segment);
      const start = part ? (part.param - segment.param) / 4 : 0;
      return [name, { start, end: start + (part?.count ?? 0) }];
    });
  }

  fill(plane: Plane, value: number): void {
    for (const segment of this.#segments) {
      new Float32Array(this.#arena.memory.buffer, segment[plane], segment.count).fill(value);
    }
  }

  /** Kept from step to step: making them anew would take a small model as long as its update. */
  #scalarsFor(plan: StepPlan): Scalars {
    const last = this.#last;
    const flushes = flushesAt(plan.step);
    if (
      last?.lr === this.#lr &&
      last.gradScale === plan.gradScale &&
      last.zeroGrad === plan.zeroGrad &&
      last.flushes === flushes &&
      areScalarsSteady(this.#values, plan)
    ) {
      return last.scalars;
    }
    const scalars = scalarsOf(this.#values, this.#lr, plan);
    this.#last = { lr: this.#lr, gradScale: plan.gradScale, zeroGrad: plan.zeroGrad, flushes, scalars };
    return scalars;
  }

  /** What of a change may throw: checks it against the whole, and makes room for the state that it takes. */
  reserve(next: Hyperparameters): void {
    this.#beforeChange(next);
    const missing = statePlanesOf(next).filter((plane) =>
      this.tensors.some(({ segment }) => segment[plane] === 0),
    );
    if (this.#arePlaced && missing.length > 0) {
      throw new OptionError(
        `This optimizer was attached to tensors without ${missing.join(" and ")}: set momentum and centered before making the handle.`,
      );
    }
    this.#allocate(this.#made, missing);
    this.#allocate(this.#adopted, missing);
  }

  /** To be reserved before. State that comes into use starts from zero, whatever an earlier use has left there. */
  change(next: Hyperparameters): void {
    const fresh = statePlanesOf(next).filter((plane) => !this.#statePlanes.includes(plane));
    this.#segments = joined(this.tensors);
    for (const plane of fresh) this.fill(plane, 0);
    this.#statePlanes = statePlanesOf(next);
    this.#last = undefined;
    Object.assign(this.#values, next);
  }

  /** Lays the planes of these tensors one behind the other, the same order in each. */
  #allocate(tensors: readonly Tensor[], planes: readonly Plane[]): void {
    const byteLength = tensors.reduce((sum, tensor) => sum + tensor.byteStride, 0);
    const ptrs = this.#arena.allocatePlanes(planes.length, byteLength);
    planes.forEach((plane, i) => {
      let ptr = ptrs[i]!;
      for (const tensor of tensors) {
        tensor.segment[plane] = ptr;
        ptr += tensor.byteStride;
      }
    });
  }
}

/** One tensor: where it lies, and the views of it. */
export class Tensor {
  readonly name: string;
  readonly count: number;
  readonly shape: Shape | undefined;
  readonly isAdopted: boolean;
  /** Of its gradient, when it was last measured. */
  sumOfSquares = 0;
  readonly segment: Segment;
  readonly #arena: Arena;
  readonly #places: Partial<Record<Plane, Place>> = {};

  constructor(
    { name, count, shape, adopted, placed }: TensorSpec,
    arena: Arena,
    private readonly group: Group,
  ) {
    this.name = name;
    this.count = count;
    this.shape = shape;
    this.isAdopted = placed?.isAdopted ?? adopted !== undefined;
    const nowhere = { param: 0, grad: 0, squareAvg: 0, momentumBuffer: 0, gradAvg: 0, ema: 0, count };
    this.segment = { ...(placed?.segment ?? nowhere) };
    this.#arena = arena;
    if (adopted) {
      this.#adopt("param", adopted.param);
      this.#adopt("grad", adopted.grad);
    }
  }

  /** Bytes from its start in a plane to that of the next tensor. Adopted ones may lie without a gap, so their state does. */
  get byteStride(): number {
    return this.isAdopted ? this.count * 4 : paddedByteLength(this.count);
  }

  /** A view over the memory as it is now. */
  view(plane: Plane): Float32Array {
    this.#places[plane] ??= new Place(this.#arena.memory, this.segment[plane], this.count);
    return this.#places[plane].view;
  }

  /** The views of all state in use. */
  get state(): Partial<Record<StatePlane, Float32Array>> {
    return Object.fromEntries(this.group.statePlanes.map((plane) => [plane, this.view(plane)]));
  }

  /** Whether gradients were last read before the memory grew. */
  get hasStaleGrad(): boolean {
    return this.#places.grad?.isStale ?? false;
  }

  /** A view that the caller holds dies by a growth like one that was handed out. */
  #adopt(plane: "param" | "grad", place: Float32Array | number): void {
    if (typeof place === "number") {
      this.segment[plane] = place;
    } else {
      this.segment[plane] = place.byteOffset;
      this.#places[plane] = new Place(this.#arena.memory, place.byteOffset, this.count, place);
    }
  }
}

const whole = (segment: Segment): Segment | undefined => segment;

/** As few segments as cover the tensors: those whose planes all follow each other are updated in one call. */
function joined(tensors: readonly Tensor[]): Segment[] {
  const segments: Segment[] = [];
  let last: Segment | undefined;
  for (const { segment, byteStride } of tensors) {
    const lastBytes = (last?.count ?? 0) * 4;
    if (last && PLANES.every((plane) => follows(last!, segment, plane, lastBytes))) {
      last.count += byteStride / 4;
    } else {
      last = { ...segment, count: byteStride / 4 };
      segments.push(last);
    }
  }
  return segments;
}

function follows(before: Segment, segment: Segment, plane: Plane, bytes: number): boolean {
  return before[plane] === 0 ? segment[plane] === 0 : segment[plane] === before[plane] + bytes;
}

function statePlanesOf({ momentum, centered }: Hyperparameters): StatePlane[] {
  const planes: StatePlane[] = ["squareAvg"];
  if (momentum > 0) planes.push("momentumBuffer");
  if (centered) planes.push("gradAvg");
  return planes;
}

/** What is kept of each tensor from step to step. */
export function planesOf(hyperparameters: Hyperparameters, ema: unknown): Plane[] {
  const planes: Plane[] = ["param", ...statePlanesOf(hyperparameters)];
  return ema ? [...planes, "ema"] : planes;
}
