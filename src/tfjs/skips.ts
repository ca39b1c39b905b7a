/**
 * The count of steps that a graphics card has skipped, kept on the card: a program that read the outcome of each step would
 * wait for the card at each.
 */
import { add, sub, type Tensor, type Variable, variable } from "@tensorflow/tfjs-core";

export class Skips {
  #count: Variable | undefined;

  /** Counts a step. `fine` is a scalar, 1 or 0, and the caller's `tidy` disposes of what this makes. */
  note(fine: Tensor): void {
    const skipped = sub(1, fine);
    if (this.#count?.isDisposed === false) this.#count.assign(add(this.#count, skipped));
    else this.#count = variable(skipped, false);
  }

  /** Resolves once `take` doesn't have to wait. */
  async arrive(): Promise<void> {
    if (this.#count?.isDisposed === false) await this.#count.data();
  }

  /** Gives the count since it was last taken. Waits for the card, if there is anything to count. */
  take(): number {
    const count = this.#count;
    this.#count = undefined;
    if (count?.isDisposed !== false) return 0;
    const [skipped] = count.dataSync();
    count.dispose();
    return skipped!;
  }

  dispose(): void {
    this.#count?.dispose();
    this.#count = undefined;
  }
}
