/** Runs the update loop on copies of a tensor, piece by piece, to see its results without changing the tensor. */
import type { FloatArray, Real } from "../base/real.ts";
import {
  CENTERED,
  CORRECTED,
  DECAYED,
  type Kernel,
  MOMENTUM,
  NESTEROV,
  type Scalars,
  SHAPED,
} from "../kernel/contract.ts";
import { type Plane, partOf, type Segment, segmentAt } from "../kernel/segment.ts";
import { Arena } from "../memory/arena.ts";

/** Elements at a time. */
export const PIECE = 512;
const COPIED = ["param", "grad", "squareAvg", "momentumBuffer", "gradAvg"] as const;

/** A piece of a tensor: gradients and values as they are in memory, updates, effective learning rates. */
export interface Piece {
  grad: FloatArray;
  param: FloatArray;
  update: FloatArray;
  rate: FloatArray;
}

/**
 * The copies are in a small memory of the probe's own. In the tensors' memory they would have to be placed when the
 * optimizer is made, in every optimizer, and apart for each that is attached: a later growth empties the caller's views.
 */
export class Probe {
  readonly #kernel: Kernel;
  readonly #copied: FloatArray;
  readonly #copies: Segment;
  readonly #rate: FloatArray;
  readonly #update: FloatArray;

  /** @param open binds a kernel of the optimizer's kind to a memory. */
  constructor(real: Real, open: (memory: WebAssembly.Memory) => Kernel) {
    const arena = new Arena(real, undefined, undefined, false);
    const ptrs = arena.allocatePlanes(COPIED.map(() => PIECE * real.bytes));
    this.#kernel = open(arena.memory);
    this.#rate = new real.Array(PIECE);
    this.#update = new real.Array(PIECE);
    this.#copied = new real.Array(arena.memory.buffer);
    const places = COPIED.map((plane, i) => [plane, ptrs[i]]);
    this.#copies = segmentAt(Object.fromEntries(places), 0);
  }

  /**
   * Gives a segment of `heap` piece by piece, as a step with these scalars left it. Each piece is valid until the next.
   *
   * @param squareAvg gives the mean square of an element of the segment, where they aren't in a plane.
   */
  *pieces(
    heap: FloatArray,
    segment: Segment,
    scalars: Scalars,
    squareAvg?: (element: number) => number,
  ): Generator<Piece> {
    for (let from = 0; from < segment.count; from += PIECE) {
      const part = partOf(segment, from, Math.min(from + PIECE, segment.count), heap.BYTES_PER_ELEMENT);
      this.#copies.count = part.count;
      const averages = viewOf(this.#copied, this.#copies, "squareAvg");
      if (squareAvg) for (let i = 0; i < part.count; i++) averages[i] = squareAvg(from + i);
      else averages.set(viewOf(heap, part, "squareAvg"));
      this.#measure(heap, part, scalars);
      yield {
        grad: viewOf(heap, part, "grad"),
        param: viewOf(heap, part, "param"),
        update: this.#update,
        rate: this.#rate.subarray(0, part.count),
      };
    }
  }

  /** Runs the kernel with a momentum buffer, from which the results are read, and with averages that stay as they are. */
  #measure(heap: FloatArray, part: Segment, scalars: Scalars): void {
    const { variant, updateScale, bufferScale, momentum } = scalars;
    const copyOf = (plane: Plane) => viewOf(this.#copied, this.#copies, plane);
    const copy = (plane: Plane) => copyOf(plane).set(viewOf(heap, part, plane));
    const buffer = copyOf("momentumBuffer");
    const still = { ...scalars, alpha: 1, oneMinusAlpha: 0, momentum: 0 };
    if (variant & CENTERED) copy("gradAvg");

    // The rate is the update of a gradient of 1, with the whole learning rate above the denominator.
    copyOf("grad").fill(1);
    buffer.fill(0);
    this.#kernel.update(this.#copies, {
      ...still,
      variant: (variant & (CENTERED | CORRECTED)) | MOMENTUM,
      updateScale: this.#kernel.real.round(updateScale * bufferScale),
    });
    this.#rate.set(buffer);

    if (variant & MOMENTUM) copy("momentumBuffer");
    else buffer.fill(0);
    if (!(variant & MOMENTUM) || variant & NESTEROV) {
      copy("grad");
      copy("param");
      this.#kernel.update(this.#copies, {
        ...still,
        variant: (variant & (SHAPED | DECAYED | CENTERED | CORRECTED)) | MOMENTUM,
        // Nesterov adds momentum times the new buffer to the update, as the next step adds momentum times the old one.
        momentum: variant & NESTEROV ? momentum : 0,
      });
    }
    for (let i = 0; i < part.count; i++) this.#update[i] = bufferScale * buffer[i]!;
  }
}

function viewOf(heap: FloatArray, segment: Segment, plane: Plane): FloatArray {
  const start = segment[plane] / heap.BYTES_PER_ELEMENT;
  return heap.subarray(start, start + segment.count);
}
