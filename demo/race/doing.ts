/** The movement of a racer over its last steps, as measured on its path. Captions say nothing else. */
import { distanceToMinimum, type Lane, type Race } from "./race.ts";
import type { Point } from "./surfaces.ts";

/** The steps that count as the last ones. */
export const WINDOW = 40;
/** After fewer steps there is nothing to say yet. */
export const FEWEST = 10;

/** The first that holds, in this order. */
export type Kind =
  /** Thrown out of the picture. */
  | "out"
  /** In the goal to stay. */
  | "arrived"
  /** It had arrived, and is outside of the goal again. */
  | "left"
  /** In the goal, for less than a stay. */
  | "inside"
  | "starting"
  /** Along an axis half of its steps turn back, and are no shorter on average than a twentieth of the goal. */
  | "swinging"
  /** Along an axis it has crossed the goal, and is beyond it. */
  | "overshot"
  /** It has gone less than a quarter of the goal's radius. */
  | "stalled"
  | "nearing"
  | "straying";

export interface Doing {
  kind: Kind;
  /** The number of steps that it is measured over. */
  steps: number;
  /** Length of the way over them. */
  travelled: number;
  /** Distance to the lowest point now, less than before them by so much. */
  nearer: number;
}

export function doingOf(lane: Lane, { surface }: Race): Doing {
  const recent = lane.path.slice(-WINDOW - 1);
  const strides = recent.slice(1).map((to, i) => ({ x: to.x - recent[i]!.x, y: to.y - recent[i]!.y }));
  const travelled = strides.reduce((sum, { x, y }) => sum + Math.hypot(x, y), 0);
  const nearer = distanceToMinimum(surface, recent[0]!) - lane.distance;
  const kind = (): Kind => {
    if (lane.outAfter !== undefined) return "out";
    if (lane.arrivedAfter !== undefined) return lane.inside > 0 ? "arrived" : "left";
    if (lane.inside > 0) return "inside";
    if (strides.length < FEWEST) return "starting";
    if (AXES.some((axis) => swings(strides, axis, surface.goal))) return "swinging";
    if (AXES.some((axis) => hasOvershot(recent, axis, surface))) return "overshot";
    if (travelled < surface.goal / 4) return "stalled";
    return nearer > 0 ? "nearing" : "straying";
  };
  return { kind: kind(), steps: strides.length, travelled, nearer };
}

const AXES = ["x", "y"] as const;

function swings(strides: Point[], axis: keyof Point, goal: number): boolean {
  const turns = strides.slice(1).filter((stride, i) => stride[axis] * strides[i]![axis] < 0).length;
  const mean = strides.reduce((sum, stride) => sum + Math.abs(stride[axis]), 0) / strides.length;
  return turns >= strides.length / 2 && mean >= goal / 20;
}

/** Says whether the racer passed the minimum that is nearest now, by more than the goal's radius. */
function hasOvershot(recent: Point[], axis: keyof Point, { minima, goal }: Race["surface"]): boolean {
  const now = recent.at(-1)!;
  const apart = ({ x, y }: Point) => Math.hypot(x - now.x, y - now.y);
  const minimum = minima.reduce((one, other) => (apart(other) < apart(one) ? other : one));
  const [before, after] = [recent[0]![axis] - minimum[axis], now[axis] - minimum[axis]];
  return before * after < 0 && Math.min(Math.abs(before), Math.abs(after)) > goal;
}
