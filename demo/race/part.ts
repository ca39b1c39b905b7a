/** The race on the page: its buttons, and the work of each frame. */
import { button, html, onChoice } from "../page/dom.ts";
import { wantsStillness, whileSeen } from "../page/frames.ts";
import { Board } from "./board.ts";
import { landscapes } from "./captions.ts";
import { Inside } from "./inside.ts";
import { Knobs } from "./knobs.ts";
import { FIRST_DIALECT, Race } from "./race.ts";
import { Stage } from "./stage.ts";
import { steer } from "./steer.ts";
import { type Point, type SurfaceName, surfaces } from "./surfaces.ts";

export function startRace(): void {
  let race: Race | undefined;
  let isPaused = false;

  const [againButton, pauseButton] = [button("race-again"), button("race-pause")];
  const board = new Board();
  const inside = new Inside();
  const knobs = new Knobs((settings) => {
    // Nobody would see settings act on a race that is over.
    if (race?.isOver) drop(race.start);
    else race?.apply(settings);
  });
  const stage = new Stage(html("stage"), (start) => drop(start));
  steer(
    stage,
    () => race!,
    (start) => drop(start),
  );

  const show = () => {
    stage.update();
    board.update(race!);
    inside.update(race!, knobs.settings.descentLr);
    pauseButton.disabled = race!.isOver;
    againButton.classList.toggle("main", race!.isOver);
  };

  /** Advances by a step, or to the end if the visitor wants nothing to move. */
  const advance = () => {
    if (!race || isPaused || race.isOver) return;
    do {
      race.advance();
      inside.record(race);
    } while (wantsStillness() && !race.isOver);
    show();
  };

  const drop = (start: Point, surface = race!.surface) => {
    race?.dispose();
    race = new Race(surface, start, knobs.settings);
    pause(false);
    inside.clear();
    stage.show(race);
    show();
    if (wantsStillness()) advance();
  };

  const pause = (wanted: boolean) => {
    isPaused = wanted;
    pauseButton.setAttribute("aria-pressed", String(wanted));
    pauseButton.textContent = wanted ? "Go on" : "Pause";
    if (wanted) board.caption(race!);
  };
  pauseButton.addEventListener("click", () => pause(!isPaused));
  againButton.addEventListener("click", () => drop(race!.start));

  knobs.dialect = FIRST_DIALECT;
  onChoice("race-surface", (name) => {
    const surface = surfaces[name as SurfaceName];
    html("race-landscape").textContent = landscapes[name as SurfaceName];
    knobs.rates = surface;
    drop(surface.start, surface);
  });
  whileSeen(stage.place, advance);
}
