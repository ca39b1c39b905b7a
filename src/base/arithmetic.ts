/** The arithmetic of factors that many operations lead to, before elements are multiplied by them. */
import { power } from "./power.ts";

/** Numbers of type `Factor`, with more digits than an element has. */
export interface Arithmetic<Factor = unknown> {
  from(value: number): Factor;
  /** The nearest double. */
  toDouble(factor: Factor): number;
  /** a·x + b·y */
  combine(a: Factor, x: number, b: Factor, y: number): Factor;
  /** `base ** exponent` for a base from 0 to 1. */
  power(base: number, exponent: number): number;
}

const same = (value: number) => value;

/** Doubles, for elements in float32. */
export const DOUBLES: Arithmetic<number> = {
  from: same,
  toDouble: same,
  combine: (a, x, b, y) => a * x + b * y,
  power,
};
