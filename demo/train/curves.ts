/** The curves of a run's charts. */
import type { Progress } from "./messages.ts";
import type { Method } from "./trainer.ts";

type Values = (number | null)[];

export class Curves {
  readonly steps: number[] = [];
  /** Each method's loss where it was at work. */
  readonly loss: Record<Method, Values> = { rmsprop: [], descent: [] };
  readonly testSteps: number[] = [];
  readonly accuracy: number[] = [];
  #last: Method | undefined;

  add({ steps, loss, method, accuracy }: Progress): void {
    const other = method === "rmsprop" ? "descent" : "rmsprop";
    // A new method goes on where the other has stopped, so that the line has no gap.
    if (this.#last === other) this.loss[method][this.steps.length - 1] = this.loss[other].at(-1)!;
    this.#last = method;
    this.steps.push(steps);
    // The logarithm of what is infinite, or nought, has no place on a chart.
    this.loss[method].push(Number.isFinite(loss) && loss > 0 ? loss : null);
    this.loss[other].push(null);
    if (accuracy === undefined) return;
    this.testSteps.push(steps);
    this.accuracy.push(100 * accuracy);
  }
}
