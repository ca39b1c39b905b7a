/** The start by keyboard. */
import type { Race } from "./race.ts";
import type { Stage } from "./stage.ts";
import type { Point } from "./surfaces.ts";

const DIRECTIONS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: 1 },
  ArrowDown: { x: 0, y: -1 },
};
/** Parts of the map's width. */
const [FINE, COARSE] = [1 / 80, 1 / 16];

export function steer(stage: Stage, current: () => Race, onDrop: (start: Point) => void): void {
  let aim: Point | undefined;
  const { place } = stage;
  place.addEventListener("keydown", (event) => {
    const { surface, start } = current();
    const direction = DIRECTIONS[event.key];
    if (direction) {
      const stride = (surface.x[1] - surface.x[0]) * (event.shiftKey ? COARSE : FINE);
      const from = aim ?? start;
      aim = {
        x: clamp(from.x + direction.x * stride, surface.x),
        y: clamp(from.y + direction.y * stride, surface.y),
      };
      stage.aim(aim);
    } else if (event.key === "Enter" || event.key === " ") {
      onDrop(aim ?? start);
      aim = undefined;
    } else return;
    event.preventDefault();
  });
  place.addEventListener("blur", () => {
    aim = undefined;
    stage.aim(undefined);
  });
}

const clamp = (value: number, [least, greatest]: readonly [number, number]) =>
  Math.min(Math.max(value, least), greatest);
