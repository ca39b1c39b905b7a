/** A race down a surface: the place of each racer after each step. Nothing here knows of the page. */
import { dialects } from "rmsprop-wasm";
import { type Random, seededRandom } from "../../examples/mnist/random.ts";
import { Adam, Descent, type Racer, type RaceSettings, RmspropRacer, ScheduleFreeRacer } from "./racers.ts";
import type { Point, Surface } from "./surfaces.ts";

export const RACER_NAMES = ["descent", "adam", "scheduleFree", "rmsprop"] as const;
export type RacerName = (typeof RACER_NAMES)[number];

/** Steps in a row inside the goal that count as arrival: who merely shoots through it has not arrived. */
export const STAY = 20;
/** The most steps of a race. */
export const LAP = 600;
/** A share of the picture's width: a racer that is farther out won't come back. */
const OUT = 20;

export interface Lane {
  readonly racer: Racer;
  /** The places it has been at, the start included. */
  readonly path: Point[];
  /** Distance to the nearest minimum. */
  distance: number;
  /** The steps in a row, up to the last one, that ended inside the goal. */
  inside: number;
  /** The first step of the first stay inside the goal. */
  arrivedAfter: number | undefined;
  /** The step that threw it out. */
  outAfter: number | undefined;
}

export class Race {
  readonly lanes: Readonly<Record<RacerName, Lane>>;
  readonly rmsprop: RmspropRacer;
  readonly #scheduleFree: ScheduleFreeRacer;
  steps = 0;
  readonly #random: Random;

  constructor(
    readonly surface: Surface,
    readonly start: Point,
    settings: RaceSettings,
    seed = 1,
  ) {
    this.#random = seededRandom(seed);
    this.rmsprop = new RmspropRacer(start, settings);
    this.#scheduleFree = new ScheduleFreeRacer(start, settings);
    const laneOf = (racer: Racer): Lane => ({
      racer,
      path: [{ ...start }],
      distance: distanceToMinimum(surface, start),
      inside: 0,
      arrivedAfter: undefined,
      outAfter: undefined,
    });
    this.lanes = {
      descent: laneOf(new Descent(start, settings)),
      adam: laneOf(new Adam(start, settings)),
      scheduleFree: laneOf(this.#scheduleFree),
      rmsprop: laneOf(this.rmsprop),
    };
  }

  /** Whether RMSprop has arrived or is out, or nobody waits for it any longer. */
  get isOver(): boolean {
    const { arrivedAfter, outAfter } = this.lanes.rmsprop;
    return arrivedAfter !== undefined || outAfter !== undefined || this.steps >= LAP;
  }

  /** Takes new settings, from the next step on. */
  apply(settings: RaceSettings): void {
    for (const { racer } of Object.values(this.lanes)) racer.apply(settings);
  }

  /** Moves each by a step. Chance adds the same error to all of them. */
  advance(): void {
    this.steps++;
    const error = { x: this.#error(), y: this.#error() };
    for (const lane of Object.values(this.lanes)) if (lane.outAfter === undefined) this.#advance(lane, error);
  }

  #advance(lane: Lane, error: Point): void {
    const { racer, path } = lane;
    const from = racer.gradientAt ?? racer.at;
    const slope = this.surface.gradient(from.x, from.y);
    racer.step({ x: slope.x + error.x, y: slope.y + error.y });
    const at = { ...racer.at };
    lane.distance = distanceToMinimum(this.surface, at);
    const [left, right] = this.surface.x;
    if (!(lane.distance < OUT * (right - left))) lane.outAfter = this.steps;
    else path.push(at);
    lane.inside = lane.distance < this.surface.goal ? lane.inside + 1 : 0;
    if (lane.inside === STAY) lane.arrivedAfter ??= this.steps - STAY + 1;
  }

  /** The cube of what is nearly normal: mostly small, now and then large. The cube's standard deviation is √15. */
  #error(): number {
    if (this.surface.noise === 0) return 0;
    const random = this.#random;
    const normal = (random() + random() + random() + random() - 2) * Math.sqrt(3);
    return (this.surface.noise / Math.sqrt(15)) * normal * normal * normal;
  }

  dispose(): void {
    this.rmsprop.dispose();
    this.#scheduleFree.dispose();
  }
}

/** The dialect whose settings a race begins with, except the learning rate. */
export const FIRST_DIALECT = "keras";

/** The settings that a surface begins with. */
export function settingsFor({ lr, descentLr }: Surface): RaceSettings {
  return { rmsprop: { ...dialects[FIRST_DIALECT], lr }, descentLr };
}

export function distanceToMinimum({ minima }: Surface, { x, y }: Point): number {
  return Math.min(...minima.map((minimum) => Math.hypot(x - minimum.x, y - minimum.y)));
}
