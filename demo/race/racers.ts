/** The ways downhill. RMSprop is the library's; the others are as their textbooks have them. */
import { type Hyperparameters, type Options, RMSprop } from "rmsprop-wasm";
import type { Point } from "./surfaces.ts";

export interface RaceSettings {
  /** RMSprop's settings, from its next step on. Adam takes their `lr` too. */
  rmsprop: Readonly<Partial<Omit<Hyperparameters, "lr"> & { lr: number }>>;
  descentLr: number;
}

/** A racer: its place, and one step along a gradient. */
export interface Racer {
  readonly at: Point;
  /** The place that the gradient is taken at, where that is another one. */
  readonly gradientAt?: Point;
  step(gradient: Point): void;
  apply(settings: RaceSettings): void;
}

/** Each step is the gradient, times a constant. */
export class Descent implements Racer {
  readonly at: Point;
  #lr = 0;

  constructor(start: Point, settings: RaceSettings) {
    this.at = { ...start };
    this.apply(settings);
  }

  step(gradient: Point): void {
    this.at.x -= this.#lr * gradient.x;
    this.at.y -= this.#lr * gradient.y;
  }

  apply({ descentLr }: RaceSettings): void {
    this.#lr = descentLr;
  }
}

/** A tensor for each axis, so that `report()` tells them apart. */
export class RmspropRacer implements Racer {
  readonly #optimizer;

  constructor(start: Point, { rmsprop }: RaceSettings, options: Pick<Options, "scheduleFree"> = {}) {
    const params = { x: Float32Array.of(start.x), y: Float32Array.of(start.y) };
    this.#optimizer = new RMSprop(params, { ...rmsprop, ...options });
  }

  get at(): Point {
    const { x, y } = this.#optimizer.params;
    return { x: x[0]!, y: y[0]! };
  }

  step(gradient: Point): void {
    // Views are read anew each time: a change of settings may grow the memory.
    const { x, y } = this.#optimizer.grads;
    x[0] = gradient.x;
    y[0] = gradient.y;
    this.#optimizer.step();
  }

  /** Every setting except the averages' start, which is past. */
  apply({ rmsprop }: RaceSettings): void {
    const { initialSquareAvg, ...changes } = rmsprop;
    Object.assign(this.#optimizer.groups[0], changes);
  }

  /** √v: how steep it has been lately. */
  get steepness(): Point {
    const { x, y } = this.#optimizer.state;
    return { x: Math.sqrt(x.squareAvg[0]!), y: Math.sqrt(y.squareAvg[0]!) };
  }

  /** The factor by which the last step has multiplied the gradient. */
  get effectiveLr(): Point {
    const { x, y } = this.#optimizer.report();
    return { x: x.medianLr, y: y.medianLr };
  }

  /** Gives the place of the averages of `scheduleFree`. */
  protected get average(): Point {
    this.#optimizer.eval();
    const { x, y } = this.#optimizer.params;
    const average = { x: x[0]!, y: y[0]! };
    this.#optimizer.train();
    return average;
  }

  dispose(): void {
    this.#optimizer.dispose();
  }
}

/** RMSprop with `scheduleFree`. Its place is the average that one evaluates with; it trains at another. */
export class ScheduleFreeRacer extends RmspropRacer {
  constructor(start: Point, settings: RaceSettings) {
    super(start, settings, { scheduleFree: true });
  }

  override get at(): Point {
    return this.average;
  }

  get gradientAt(): Point {
    return super.at;
  }
}

/** Kingma and Ba 2015, algorithm 1, with the defaults of all but the learning rate. */
export class Adam implements Racer {
  readonly at: Point;
  readonly #gradAvg = { x: 0, y: 0 };
  readonly #squareAvg = { x: 0, y: 0 };
  /** beta1 ** t and beta2 ** t. */
  #powers: [number, number] = [1, 1];
  #lr = 0;

  constructor(start: Point, settings: RaceSettings) {
    this.at = { ...start };
    this.apply(settings);
  }

  step(gradient: Point): void {
    const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
    this.#powers = [this.#powers[0] * beta1, this.#powers[1] * beta2];
    for (const axis of ["x", "y"] as const) {
      const g = gradient[axis];
      this.#gradAvg[axis] = beta1 * this.#gradAvg[axis] + (1 - beta1) * g;
      this.#squareAvg[axis] = beta2 * this.#squareAvg[axis] + (1 - beta2) * g * g;
      const mean = this.#gradAvg[axis] / (1 - this.#powers[0]);
      const square = this.#squareAvg[axis] / (1 - this.#powers[1]);
      this.at[axis] -= (this.#lr * mean) / (Math.sqrt(square) + eps);
    }
  }

  apply({ rmsprop }: RaceSettings): void {
    this.#lr = rmsprop.lr ?? 0.01;
  }
}
