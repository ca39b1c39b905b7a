import type { Formula } from "./formula.ts";
import type { Work } from "./work.ts";

/** A way to do the work. To add one: a file in `ways/`, and its name in `ways/index.ts`. */
export interface Way {
  name: string;
  title: string;
  /** What its result must agree with. A copy computes nothing. */
  formula?: Formula;
  /** Its result must be that of the JavaScript backend, to the bit. */
  bitExact?: boolean;
  supports(work: Work): boolean;
  prepare(work: Work): Runner | Promise<Runner>;
}

/** One way, ready to do one piece of work. */
export interface Runner {
  /** Back to the seeded parameters and the work's initial state. Never timed. */
  reset(): void | Promise<void>;
  /** Takes that many steps and says how many nanoseconds they took. */
  time(steps: number): number | Promise<number>;
  /** The parameters, all tensors after another. */
  read(): Float32Array | Promise<Float32Array>;
  dispose(): void | Promise<void>;
}

/** The `time` of a runner whose step is a function in this process. */
export function timing(step: () => void): (steps: number) => number {
  return (steps) => {
    const start = performance.now();
    for (let i = 0; i < steps; i++) step();
    return (performance.now() - start) * 1e6;
  };
}
