/** A parameter group: its tensors, where their planes lie, and the hyperparameters that they share. */
import { type Arena, Place, paddedByteLength } from "./arena.ts";
import type { Scalars, Segment, StatePlane } from "./kernel.ts";
import { guardHyperparameters, type Hyperparameters, scalarsOf } from "./options.ts";
import type { TensorSpec } from "./params.ts";

type Plane = "param" | "grad" | StatePlane;

export class Group {
  readonly tensors: readonly Tensor[];
  readonly segment: Segment = { param: 0, grad: 0, squareAvg: 0, momentumBuffer: 0, gradAvg: 0, count: 0 };
  /** As the caller reads and sets them. */
  readonly hyperparameters: Hyperparameters;
  #scalars: Scalars;
  #statePlanes: StatePlane[];

  constructor(
    specs: readonly TensorSpec[],
    hyperparameters: Hyperparameters,
    private readonly arena: Arena,
  ) {
    let planeByteLength = 0;
    this.tensors = specs.map((spec) => {
      const tensor = new Tensor(spec, planeByteLength, this);
      planeByteLength += paddedByteLength(spec.count);
      return tensor;
    });
    this.segment.count = planeByteLength / 4;
    this.#scalars = scalarsOf(hyperparameters);
    this.#statePlanes = statePlanesOf(hyperparameters);
    this.#allocate(["param", "grad", ...this.#statePlanes]);
    this.hyperparameters = guardHyperparameters(hyperparameters, (next) => this.#change(next));
  }

  get scalars(): Scalars {
    return this.#scalars;
  }

  /** The planes of state in use now. */
  get statePlanes(): readonly StatePlane[] {
    return this.#statePlanes;
  }

  /** Makes a `Place` for a tensor's part of a plane. */
  place(plane: Plane, planeByteOffset: number, count: number): Place {
    return new Place(this.arena.memory, this.segment[plane] + planeByteOffset, count);
  }

  zeroGrad(): void {
    this.#zero("grad");
  }

  /** State that comes into use starts from zero, whatever an earlier use has left there. */
  #change(next: Hyperparameters): void {
    const statePlanes = statePlanesOf(next);
    const fresh = statePlanes.filter((plane) => !this.#statePlanes.includes(plane));
    this.#allocate(fresh.filter((plane) => this.segment[plane] === 0));
    for (const plane of fresh) this.#zero(plane);
    this.#statePlanes = statePlanes;
    this.#scalars = scalarsOf(next);
  }

  #allocate(planes: readonly Plane[]): void {
    const ptrs = this.arena.allocatePlanes(planes.length, this.segment.count * 4);
    planes.forEach((plane, i) => {
      this.segment[plane] = ptrs[i]!;
    });
  }

  #zero(plane: Plane): void {
    new Float32Array(this.arena.memory.buffer, this.segment[plane], this.segment.count).fill(0);
  }
}

/** One tensor's part of its group's planes. */
export class Tensor {
  readonly name: string;
  readonly #count: number;
  readonly #places: Partial<Record<Plane, Place>> = {};

  constructor(
    spec: TensorSpec,
    private readonly planeByteOffset: number,
    private readonly group: Group,
  ) {
    this.name = spec.name;
    this.#count = spec.count;
  }

  /** A view over the memory as it is now. */
  view(plane: Plane): Float32Array {
    this.#places[plane] ??= this.group.place(plane, this.planeByteOffset, this.#count);
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
}

function statePlanesOf({ momentum, centered }: Hyperparameters): StatePlane[] {
  const planes: StatePlane[] = ["squareAvg"];
  if (momentum > 0) planes.push("momentumBuffer");
  if (centered) planes.push("gradAvg");
  return planes;
}
