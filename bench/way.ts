import type { Formula } from "./formula.ts";
import type { Work } from "./work.ts";

/** A way to do the work. To add one: a file in `ways/`, and its name in `ways/index.ts`. */
export interface Way {
  name: string;
  title: string;
  /** The formula that its result must agree with; none for a copy, which computes nothing. */
  formula?: Formula;
  /** Bytes that it moves per element, unless they are those that a step must move. */
  movedBytes?: number;
  /** Demands the result of the JavaScript backend, to the bit. */
  bitExact?: boolean;
  supports(work: Work): boolean;
  prepare(work: Work): Runner | Promise<Runner>;
}

/** One way, ready to do one piece of work. */
export interface Runner {
  /** Goes back to the seeded parameters and the work's initial state. Never timed. */
  reset(): void | Promise<void>;
  /** Takes that many steps and says how many nanoseconds they took. */
  time(steps: number): number | Promise<number>;
  /** Gives the planes that `resultPlanes` names, one after another, each of all tensors. */
  read(): Float32Array | Promise<Float32Array>;
  dispose(): void | Promise<void>;
}

/** The `time` of a runner whose step is a function in this process. The call of `before` ahead of each step isn't timed. */
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
