/** A parameter group: its tensors, where their planes lie, and the hyperparameters that they share. */
import { type Arena, Place, paddedByteLength } from "./arena.ts";
import type { Kernel, Plane, Scalars, Segment, StatePlane } from "./kernel.ts";
import { guardHyperparameters, type Hyperparameters, learningRateAt } from "./options.ts";
import type { TensorSpec } from "./params.ts";
import { areScalarsSteady, clipFactor, type StepPlan, scalarsOf } from "./scalars.ts";

export class Group {
  readonly tensors: readonly Tensor[];
  readonly segment: Segment;
  /** As the caller reads and sets them. */
  readonly hyperparameters: Hyperparameters;
  /** Unguarded, for what happens at each step. */
  readonly #values: Hyperparameters;
  #statePlanes: StatePlane[];
  #lr = 0;
  #last: { plan: StepPlan; lr: number; scalars: Scalars } | undefined;

  constructor(
    specs: readonly TensorSpec[],
    hyperparameters: Hyperparameters,
    private readonly arena: Arena,
    { hasEma, beforeChange }: { hasEma: boolean; beforeChange: (next: Hyperparameters) => void },
  ) {
    let planeByteLength = 0;
    this.tensors = specs.map((spec) => {
      const tensor = new Tensor(spec, planeByteLength, this);
      planeByteLength += paddedByteLength(spec.count);
      return tensor;
    });
    this.segment = {
      param: 0,
      grad: 0,
      squareAvg: 0,
      momentumBuffer: 0,
      gradAvg: 0,
      ema: 0,
      count: planeByteLength / 4,
    };
    this.#values = hyperparameters;
    this.#statePlanes = statePlanesOf(hyperparameters);
    this.#allocate(["param", "grad", ...this.#statePlanes, ...(hasEma ? (["ema"] as const) : [])]);
    this.hyperparameters = guardHyperparameters(hyperparameters, (next) => {
      beforeChange(next);
      this.#change(next);
    });
  }

  /** The planes of state in use now. */
  get statePlanes(): readonly StatePlane[] {
    return this.#statePlanes;
  }

  get memory(): WebAssembly.Memory {
    return this.arena.memory;
  }

  /** Whether each tensor's gradient is clipped to a norm of its own. */
  get clipsByNorm(): boolean {
    return this.#values.clipNorm !== Infinity;
  }

  /** What of a step may throw: called for all groups before the first one is updated. */
  prepare(step: number): void {
    this.#lr = learningRateAt(this.#values.lr, step);
  }

  update(kernel: Kernel, plan: StepPlan): void {
    if (!this.clipsByNorm) {
      kernel.update(this.segment, this.#scalarsFor(plan));
      return;
    }
    for (const tensor of this.tensors) {
      const norm = Math.sqrt(tensor.sumOfSquares) * Math.abs(plan.gradScale);
      const gradScale = plan.gradScale * clipFactor(norm, this.#values.clipNorm);
      kernel.update(tensor.segment, this.#scalarsFor({ ...plan, gradScale }));
    }
  }

  /** Kept from step to step: making them anew would take a small model as long as its update. */
  #scalarsFor(plan: StepPlan): Scalars {
    const last = this.#last;
    if (
      last?.lr === this.#lr &&
      last.plan.gradScale === plan.gradScale &&
      last.plan.zeroGrad === plan.zeroGrad &&
      areScalarsSteady(this.#values, plan)
    ) {
      return last.scalars;
    }
    const scalars = scalarsOf(this.#values, this.#lr, plan);
    this.#last = { plan, lr: this.#lr, scalars };
    return scalars;
  }

  fill(plane: Plane, value: number): void {
    new Float32Array(this.memory.buffer, this.segment[plane], this.segment.count).fill(value);
  }

  /** State that comes into use starts from zero, whatever an earlier use has left there. */
  #change(next: Hyperparameters): void {
    const statePlanes = statePlanesOf(next);
    const fresh = statePlanes.filter((plane) => !this.#statePlanes.includes(plane));
    this.#allocate(fresh.filter((plane) => this.segment[plane] === 0));
    for (const plane of fresh) this.fill(plane, 0);
    this.#statePlanes = statePlanes;
    this.#last = undefined;
  }

  #allocate(planes: readonly Plane[]): void {
    const ptrs = this.arena.allocatePlanes(planes.length, this.segment.count * 4);
    planes.forEach((plane, i) => {
      this.segment[plane] = ptrs[i]!;
    });
  }
}

/** One tensor's part of its group's planes. */
export class Tensor {
  readonly name: string;
  readonly count: number;
  /** Of its gradient, when it was last measured. */
  sumOfSquares = 0;
  readonly #places: Partial<Record<Plane, Place>> = {};

  constructor(
    spec: TensorSpec,
    private readonly planeByteOffset: number,
    private readonly group: Group,
  ) {
    this.name = spec.name;
    this.count = spec.count;
  }

  /** A view over the memory as it is now. */
  view(plane: Plane): Float32Array {
    this.#places[plane] ??= new Place(
      this.group.memory,
      this.group.segment[plane] + this.planeByteOffset,
      this.count,
    );
    return this.#places[plane].view;
  }

  /** The views of all state in use. */
  get state(): Partial<Record<StatePlane, Float32Array>> {
    return Object.fromEntries(this.group.statePlanes.map((plane) => [plane, this.view(plane)]));
  }

  /** This tensor alone. */
  get segment(): Segment {
    const { param, grad, squareAvg, momentumBuffer, gradAvg, ema } = this.group.segment;
    const offset = this.planeByteOffset;
    return {
      param: param + offset,
      grad: grad + offset,
      squareAvg: squareAvg + offset,
      momentumBuffer: momentumBuffer + offset,
      gradAvg: gradAvg + offset,
      ema: ema + offset,
      count: this.count,
    };
  }

  /** Whether gradients were last read before the memory grew. */
  get hasStaleGrad(): boolean {
    return this.#places.grad?.isStale ?? false;
  }
}

function statePlanesOf({ momentum, centered }: Hyperparameters): StatePlane[] {
  const planes: StatePlane[] = ["squareAvg"];
  if (momentum > 0) planes.push("momentumBuffer");
  if (centered) planes.push("gradAvg");
  return planes;
}
