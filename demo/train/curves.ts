/** The curves of a run's charts: both methods over the same steps. */
import type { Progress } from "./messages.ts";
import { METHODS, type Method } from "./trainer.ts";

type Values = (number | null)[];

export class Curves {
  readonly steps: number[] = [];
  readonly loss: Record<Method, Values> = { rmsprop: [], descent: [] };
  readonly testSteps: number[] = [];
  /** In percent. */
  readonly accuracy: Record<Method, Values> = { rmsprop: [], descent: [] };

  /** Adds a point to each curve. The curve of a broken run ends. */
  add({ steps, runs }: Progress): void {
    const isTested = METHODS.some((method) => runs[method].accuracy !== undefined);
    this.steps.push(steps);
    if (isTested) this.testSteps.push(steps);
    for (const method of METHODS) {
      const { loss = Number.NaN, accuracy } = runs[method];
      // The logarithm of what is infinite, or nought, has no place on a chart.
      this.loss[method].push(Number.isFinite(loss) && loss > 0 ? loss : null);
      if (isTested) this.accuracy[method].push(accuracy === undefined ? null : 100 * accuracy);
    }
  }
}
