/** A tensor of an optimizer: the places of its planes, and the views of them. */

import type { FloatArray } from "../base/real.ts";
import { StaleViewError } from "../errors.ts";
import { type Plane, type Segment, type StatePlane, segmentAt } from "../kernel/segment.ts";
import type { Arena } from "../memory/arena.ts";
import { paddedByteLength } from "../memory/layout.ts";
import { Place } from "../memory/view.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import type { Missed } from "../options/missed.ts";
import type { AdoptedViews, TensorSpec } from "./params.ts";
import type { Shape } from "./values.ts";

/** The running averages of one tensor: flat views, each with the tensor's number of elements. */
export interface State<Elements extends FloatArray = Float32Array> {
  /** Running average of the squared gradient; with `rowwiseState`, one element for each row. */
  readonly squareAvg: Elements;
  /** The momentum buffer, with `momentum`. */
  readonly momentumBuffer?: Elements;
  /** Running average of the gradient, with `centered`. */
  readonly gradAvg?: Elements;
  /** The points that are averaged, with `scheduleFree`. They begin where the parameters are at the first step. */
  readonly z?: Elements;
  /** The way that updates have moved the parameters since the first step, with `lr: "auto"`; `z`, with `scheduleFree`. */
  readonly moved?: Elements;
}

/** The part of a group that its tensors and steps by rows depend on. */
export interface TensorGroup {
  readonly tensors: readonly Tensor[];
  readonly hyperparameters: Hyperparameters;
  readonly missed: Missed;
  /** The planes of state in use. */
  readonly statePlanes: readonly StatePlane[];
  /** Places were chosen by another optimizer (`attach`), and none can be added. */
  readonly arePlaced: boolean;
  /** Defined with `scheduleFree`. */
  readonly weights: unknown;
  /** Takes over tensors that are updated by rows from now on. */
  settle(): void;
}

/** One tensor: its places, and the views of it. */
export class Tensor {
  readonly name: string;
  readonly count: number;
  readonly shape: Shape | undefined;
  readonly isAdopted: boolean;
  readonly segment: Segment;
  /** Byte offset of the steps up to which each row is up to date; 0 as long as the tensor is updated as a whole. */
  rowSteps: number;
  /**
   * Whether it has one mean square for each row, by `rowwiseState`. A tensor of one dimension has one for each element, as
   * ever.
   */
  readonly isRowwise: boolean;
  readonly #arena: Arena;
  readonly #places: Partial<Record<Plane, Place>> = {};

  constructor(
    { name, count, shape, adopted, ptrs, placed }: TensorSpec,
    arena: Arena,
    readonly group: TensorGroup,
  ) {
    this.name = name;
    this.count = count;
    this.shape = shape;
    this.isAdopted = placed?.isAdopted ?? adopted !== undefined;
    this.isRowwise = group.hyperparameters.rowwiseState && this.rows !== undefined;
    this.rowSteps = placed?.rowSteps ?? 0;
    this.segment = segmentAt(placed?.segment ?? ptrs ?? {}, placed?.segment.count ?? count);
    this.#arena = arena;
    if (typeof adopted?.param === "object") {
      // Views that the caller holds die by a growth like those that were handed out.
      const { param, grad } = adopted as AdoptedViews<FloatArray>;
      this.#places.param = this.#placeOf("param", param);
      this.#places.grad = this.#placeOf("grad", grad);
    }
  }

  /** The number of elements that it has in a plane. */
  countIn(plane: Plane): number {
    return plane === "squareAvg" && this.isRowwise ? this.rows!.count : this.count;
  }

  /** Bytes from its start in a plane to that of the next tensor. Adopted tensors may touch, so their state does. */
  byteStrideIn(plane: Plane): number {
    const { bytes } = this.#arena.real;
    const count = this.countIn(plane);
    return this.isAdopted ? count * bytes : paddedByteLength(count, bytes);
  }

  /** A view over the memory as it is now. */
  view(plane: Plane): FloatArray {
    this.#places[plane] ??= this.#placeOf(plane);
    return this.#places[plane].view;
  }

  /** The number of rows, and the elements of each; undefined for fewer than two dimensions. */
  get rows(): { readonly count: number; readonly width: number } | undefined {
    const { shape } = this;
    return shape?.[1] ? { count: shape[0]!, width: this.count / shape[0]! } : undefined;
  }

  /** The segment of row 0, from which kernels find the others. */
  get rowSegment(): Segment {
    return segmentAt(this.segment, this.rows!.width);
  }

  /** A view of the steps up to which each row is up to date. */
  get stepsOfRows(): Uint32Array {
    return new Uint32Array(this.#arena.memory.buffer, this.rowSteps, this.rows!.count);
  }

  /** The views of all state in use. */
  get state(): Partial<Record<StatePlane | "z" | "moved", FloatArray>> {
    const points = (["z", "moved"] as const).filter((plane) => this.segment[plane] !== 0);
    const planes = [...this.group.statePlanes, ...points];
    return Object.fromEntries(planes.map((plane) => [plane, this.view(plane)]));
  }

  /** Whether gradients were last read before the memory grew. */
  get hasStaleGrad(): boolean {
    return this.#places.grad?.isStale ?? false;
  }

  #placeOf(plane: Plane, view?: FloatArray): Place {
    const { real, memory } = this.#arena;
    return new Place(real, memory, this.segment[plane], this.countIn(plane), view);
  }
}

/** Accepts that the memory has grown, unless gradients may have been written to views that died of it. */
export function acceptGrowth(arena: Arena, tensors: Iterable<Tensor>): void {
  const stale = [...tensors].filter((tensor) => tensor.hasStaleGrad).map((tensor) => tensor.name);
  if (stale.length > 0) {
    throw new StaleViewError(
      `The memory grew after the gradients of ${stale.join(", ")} were read, so what was written to those views is lost: read \`grads\` again, write them, and step.`,
    );
  }
  arena.acceptGrowth();
}
