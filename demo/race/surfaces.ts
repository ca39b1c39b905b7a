/** The landscapes of the race: functions of two numbers, so that they can be drawn. */

export interface Point {
  x: number;
  y: number;
}

export interface Surface {
  /** The part of it that is drawn, from and to. */
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  height(x: number, y: number): number;
  /** The height's derivatives by x and by y. */
  gradient(x: number, y: number): Point;
  readonly minima: readonly Point[];
  /** Radius of the ring around each minimum that the race goes to: RMSprop comes to it, and trembles inside it, at the rate below. */
  readonly goal: number;
  readonly start: Point;
  /** Standard deviation of the error that is added to each gradient, by x and by y. */
  readonly noise: number;
  /** Learning rates to begin with: gradient descent's is about the largest that isn't thrown out. */
  readonly lr: number;
  readonly descentLr: number;
}

/** A valley that bends a little: its walls are steep, its floor is nearly flat. After Rosenbrock's. */
const ravine: Surface = {
  x: [-2.4, 2.4],
  y: [-1.1, 1.9],
  height(x, y) {
    const side = y - 0.15 * x * x;
    return 0.01 * (1.5 - x) * (1.5 - x) + 5 * side * side;
  },
  gradient(x, y) {
    const side = y - 0.15 * x * x;
    return { x: -0.02 * (1.5 - x) - 3 * side * x, y: 10 * side };
  },
  minima: [{ x: 1.5, y: 0.3375 }],
  goal: 0.25,
  start: { x: -2, y: -0.5 },
  noise: 0,
  lr: 0.02,
  descentLr: 0.15,
};

/** Two basins, and between them a pass: along it the ground is almost flat. */
const saddle: Surface = {
  x: [-2, 2],
  y: [-1.25, 1.25],
  height: (x, y) => 0.05 * (0.25 * x * x * x * x - 0.5 * x * x) + 2 * y * y,
  gradient: (x, y) => ({ x: 0.05 * (x * x * x - x), y: 4 * y }),
  minima: [
    { x: -1, y: 0 },
    { x: 1, y: 0 },
  ],
  goal: 0.1,
  start: { x: 0.01, y: 1 },
  noise: 0,
  lr: 0.01,
  descentLr: 0.4,
};

/** Two hundred times as steep across as along. */
const bowl: Surface = {
  x: [-4, 4],
  y: [-2.5, 2.5],
  height: (x, y) => 0.015 * x * x + 3 * y * y,
  gradient: (x, y) => ({ x: 0.03 * x, y: 6 * y }),
  minima: [{ x: 0, y: 0 }],
  goal: 0.2,
  start: { x: -3.4, y: 1.9 },
  noise: 0,
  lr: 0.03,
  descentLr: 0.3,
};

/** A bowl that nobody sees clearly: each gradient is off by chance, now and then by far, as that of a few examples is. */
const noisy: Surface = {
  x: [-4, 4],
  y: [-2.5, 2.5],
  height: (x, y) => 0.1 * x * x + y * y,
  gradient: (x, y) => ({ x: 0.2 * x, y: 2 * y }),
  minima: [{ x: 0, y: 0 }],
  goal: 0.4,
  start: { x: 3.3, y: 1.8 },
  noise: 1.5,
  lr: 0.05,
  descentLr: 0.2,
};

export const surfaces = { ravine, saddle, bowl, noisy };
export type SurfaceName = keyof typeof surfaces;
