/** The form of the tuning bench's result. */

/** Half decades. */
export const RATES = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];
export const DEFAULT_RATE = 1e-2;
/** The ways that take a rate. */
export const WAYS = ["constant", "cosine", "scheduleFree"] as const;

export interface TaskResult {
  readonly name: string;
  readonly loss: string;
  readonly steps: number;
  /** Mean loss over the seeds at each rate; null where it isn't finite. */
  readonly losses: Readonly<Record<(typeof WAYS)[number], readonly (number | null)[]>>;
  readonly auto: number | null;
  readonly autoScheduleFree: number | null;
  /** Runs that are too short for the default rate: the losses at each constant rate, and of `scheduleFree` at the default. */
  readonly short?: {
    readonly steps: number;
    readonly constant: readonly (number | null)[];
    readonly scheduleFree: number | null;
  };
}

export interface TuningResult {
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly seconds: number;
  readonly seeds: readonly number[];
  readonly rates: readonly number[];
  readonly tasks: readonly TaskResult[];
}
