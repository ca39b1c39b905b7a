/** A surface as shapes to draw: for the page, and for the picture in the README. */
import { contours } from "d3-contour";
import { scaleLinear } from "d3-scale";
import type { Point, Surface } from "./surfaces.ts";

export const MAP = { width: 640, height: 400 };

const CELLS = { columns: 160, rows: 100 };
const LEVELS = 15;
/** Each level's height above the lowest point, by that of the level above: the floor shows as well as the walls. */
const RATIO = 0.58;

export interface Level {
  /** An SVG path around all that is at least so high. */
  path: string;
  /** The level's place between the lowest, 0, and the highest, 1. */
  share: number;
}

/** Translates a surface's numbers into the map's, and back by `invert`. */
export function mapScales(surface: Surface) {
  return {
    x: scaleLinear(surface.x, [0, MAP.width]),
    y: scaleLinear(surface.y, [MAP.height, 0]),
  };
}

/** Lowest first: each covers a part of the one before. */
export function levelsOf(surface: Surface, cells = CELLS): Level[] {
  const { x, y } = mapScales(surface);
  // One cell more on each side: contours end half a cell before the grid does.
  const [columns, rows] = [cells.columns + 2, cells.rows + 2];
  const [cellWidth, cellHeight] = [MAP.width / cells.columns, MAP.height / cells.rows];
  const heights = Array.from({ length: columns * rows }, (_, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    return surface.height(x.invert((column - 0.5) * cellWidth), y.invert((row - 0.5) * cellHeight));
  });
  const lowest = Math.min(...surface.minima.map((minimum) => surface.height(minimum.x, minimum.y)));
  const highest = heights.reduce((most, height) => Math.max(most, height));

  const thresholds: number[] = [];
  let rise = highest - lowest;
  for (let i = 0; i < LEVELS; i++) {
    rise *= RATIO;
    thresholds.unshift(lowest + rise);
  }
  return contours()
    .size([columns, rows])
    .thresholds(thresholds)(heights)
    .map(({ coordinates }, i) => ({
      share: i / (LEVELS - 1),
      path: coordinates
        .flat()
        .map((ring) => {
          const points = ring.map(
            ([column, row]) => `${tenth((column! - 1) * cellWidth)},${tenth((row! - 1) * cellHeight)}`,
          );
          return `M${points.join("L")}Z`;
        })
        .join(""),
    }));
}

/** The line through points, without the command that starts it. */
export function lineThrough(points: readonly Point[], surface: Surface): string {
  const { x, y } = mapScales(surface);
  return points.map((point) => `${tenth(x(point.x))},${tenth(y(point.y))}`).join("L");
}

/** More digits can't be seen. */
export const tenth = (value: number): number => Math.round(value * 10) / 10;
