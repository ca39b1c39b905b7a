/**
 * Steps that a graphics card leaves out by itself, because a gradient isn't finite: a program that read the outcome of each
 * step would wait for the card at each.
 */
import {
  add,
  all,
  cast,
  engine,
  keep,
  min,
  stack,
  sub,
  type Tensor,
  type Variable,
  variable,
} from "@tensorflow/tfjs-core";
import { NonFiniteError } from "../errors.ts";
import type { Update } from "./gradients.ts";
import type { Guard } from "./updater.ts";

/** Gives a 1 for each gradient whose elements are finite, else a 0. */
function flagsOf(updates: readonly Update[]): Tensor {
  const areFinite = (x: Tensor) => engine().runKernel("IsFinite", { x }) as Tensor;
  return stack(updates.map(({ gradient }) => cast(all(areFinite(gradient)), "float32")));
}

/** For `nonFinite: "skip"`: their count, which stays on the card until somebody asks for it. */
export class Skips implements Guard {
  #fine: Tensor | undefined;
  #count: Variable | undefined;

  areFinite(updates: readonly Update[]): Tensor {
    this.#fine = min(flagsOf(updates));
    return this.#fine;
  }

  note(): void {
    const skipped = sub(1, this.#fine!);
    if (this.#count?.isDisposed === false) this.#count.assign(add(this.#count, skipped));
    else this.#count = variable(skipped, false);
  }

  async arrive(): Promise<void> {
    if (this.#count?.isDisposed === false) await this.#count.data();
  }

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

/**
 * For `nonFinite: "throw"` on webgpu, which gives no values at once: tf.js reads there by way of a canvas, and Chromium's
 * software rendering loses the card by it. The error comes when the card has answered.
 */
export class LateErrors implements Guard {
  #flags: Tensor | undefined;
  #names: readonly string[] = [];
  /** Resolves when the card has answered all that it was asked: it answers in order. */
  #answers: Promise<void> = Promise.resolve();
  #error: NonFiniteError | undefined;
  #count = 0;

  areFinite(updates: readonly Update[]): Tensor {
    this.#throw();
    this.#flags = flagsOf(updates);
    this.#names = updates.map(({ variable }) => variable.name);
    return min(this.#flags);
  }

  note(): void {
    // Kept, since webgpu loses what is disposed of before it is read.
    this.#answers = this.#read(keep(this.#flags!), this.#names);
  }

  async #read(flags: Tensor, names: readonly string[]): Promise<void> {
    try {
      const values = await flags.data();
      const broken = names.filter((_, i) => values[i] === 0);
      if (broken.length === 0) return;
      this.#count++;
      this.#error ??= new NonFiniteError(
        `The gradients of ${broken.join(", ")} held a NaN or an infinity in an earlier step, as the graphics card says now. That step has changed nothing; see to the loss, or set nonFinite to "skip".`,
      );
    } catch {
      // The card is gone, and the next step says so.
    } finally {
      flags.dispose();
    }
  }

  #throw(): void {
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error;
  }

  async arrive(): Promise<void> {
    await this.#answers;
    this.#throw();
  }

  /** As far as the card has answered. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  dispose(): void {}
}
