/** What the update loop itself makes of a tensor, without changing it: the kernel runs on copies, a piece at a time. */
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

/** A piece of a tensor: gradients and values as they lie there, updates, effective learning rates. */
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

  /** A segment piece by piece, as a step with these scalars has left it. What is given holds until the next one. */
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

  /** What goes into the momentum buffer is what's wanted, so there is one in each run, and the averages stay. */
  #measure(part: Segment, scalars: Scalars): void {
    const { variant, updateScale, bufferScale, momentum } = scalars;
    const copy = (plane: Plane) => this.#view(this.#copies, plane).set(this.#view(part, plane));
    const buffer = this.#view(this.#copies, "momentumBuffer");
    const still = { ...scalars, alpha: 1, oneMinusAlpha: 0, momentum: 0 };
    copy("squareAvg");
    if (variant & CENTERED) copy("gradAvg");

    // A gradient of 1, with all of the learning rate above the denominator.
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
        // Nesterov adds the new buffer, times momentum, to the update: as another step adds the old one.
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
