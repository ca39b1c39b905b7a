/** Runs the update loop on copies of a tensor, piece by piece, to see its results without changing the tensor. */
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
import { type Plane, partOf, type Segment } from "../kernel/segment.ts";
import { SCRATCH_COUNT, SCRATCH_PLANES } from "../memory/layout.ts";

/** A piece of a tensor: gradients and values as they are in memory, updates, effective learning rates. */
export interface Piece {
  grad: Float32Array;
  param: Float32Array;
  update: Float32Array;
  rate: Float32Array;
}

export class Probe {
  readonly #kernel: Kernel;
  readonly #heap: Float32Array;
  readonly #copies: Segment;
  readonly #rate = new Float32Array(SCRATCH_COUNT);
  readonly #update = new Float32Array(SCRATCH_COUNT);

  /** @param scratch the byte offset of `SCRATCH_BYTES` in the memory. */
  constructor(kernel: Kernel, scratch: number, memory: WebAssembly.Memory) {
    this.#kernel = kernel;
    this.#heap = new Float32Array(memory.buffer);
    const ptrs = SCRATCH_PLANES.map((plane, i) => [plane, scratch + i * SCRATCH_COUNT * 4]);
    this.#copies = { ...Object.fromEntries(ptrs), ema: 0, count: 0 };
  }

  /** Gives a segment piece by piece, as a step with these scalars left it. Each piece is valid until the next. */
  *pieces(segment: Segment, scalars: Scalars): Generator<Piece> {
    for (let from = 0; from < segment.count; from += SCRATCH_COUNT) {
      const part = partOf(segment, from, Math.min(from + SCRATCH_COUNT, segment.count));
      this.#copies.count = part.count;
      this.#measure(part, scalars);
      yield {
        grad: this.#view(part, "grad"),
        param: this.#view(part, "param"),
        update: this.#update,
        rate: this.#rate,
      };
    }
  }

  /** Runs the kernel with a momentum buffer, from which the results are read, and with averages that stay as they are. */
  #measure(part: Segment, scalars: Scalars): void {
    const { variant, updateScale, bufferScale, momentum } = scalars;
    const copy = (plane: Plane) => this.#view(this.#copies, plane).set(this.#view(part, plane));
    const buffer = this.#view(this.#copies, "momentumBuffer");
    const still = { ...scalars, alpha: 1, oneMinusAlpha: 0, momentum: 0 };
    copy("squareAvg");
    if (variant & CENTERED) copy("gradAvg");

    // For the rate: a gradient of 1, with the whole learning rate above the denominator.
    this.#view(this.#copies, "grad").fill(1);
    buffer.fill(0);
    this.#kernel.update(this.#copies, {
      ...still,
      variant: (variant & (CENTERED | CORRECTED)) | MOMENTUM,
      updateScale: Math.fround(updateScale * bufferScale),
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

  #view(segment: Segment, plane: Plane): Float32Array {
    const start = segment[plane] / 4;
    return this.#heap.subarray(start, start + segment.count);
  }
}
