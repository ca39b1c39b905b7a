import type { Formula } from "./formula.ts";
import type { Work } from "./work.ts";

/** A way to do the work. To add one: a file in `ways/`, and its name in `ways/index.ts`. */
export interface Way {
  name: string;
  title: string;
  /** What its result must agree with. A copy computes nothing. */
  formula?: Formula;
  /** Bytes that it moves per element, where those aren't what a step must move. */
  movedBytes?: number;
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
  /** The planes that `resultPlanes` names, one after another, of all tensors each. */
  read(): Float32Array | Promise<Float32Array>;
  dispose(): void | Promise<void>;
}

/** The `time` of a runner whose step is a function in this process. What comes `before` each step isn't timed. */
export function timing(step: () => void, before?: () => void): (steps: number) => number {
  const atOnce = (steps: number) => {
    const start = performance.now();
    for (let i = 0; i < steps; i++) step();
    return (performance.now() - start) * 1e6;
  };
  if (!before) return atOnce;
  return (steps) => {
    let nanoseconds = 0;
    for (let i = 0; i < steps; i++) {
      before();
      nanoseconds += atOnce(1);
    }
    return nanoseconds;
  };
}
