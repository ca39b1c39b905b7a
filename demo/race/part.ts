/** The race on the page: its buttons, and the work of each frame. */
import { button, html, onChoice } from "../page/dom.ts";
import { wantsStillness, whileSeen } from "../page/frames.ts";
import { Board } from "./board.ts";
import { captions } from "./captions.ts";
import { Inside } from "./inside.ts";
import { Knobs } from "./knobs.ts";
import { FIRST_DIALECT, Race } from "./race.ts";
import { Stage } from "./stage.ts";
import { steer } from "./steer.ts";
import { type Point, type SurfaceName, surfaces } from "./surfaces.ts";

/** The most steps of a race, and those that a change of settings adds to one that is over. */
const LAP = 600;
/** Longer lines would slow the drawing down. */
const LONGEST = 3000;

export function startRace(): void {
  let race: Race | undefined;
  let end = LAP;
  let isPaused = false;

  const board = new Board();
  const inside = new Inside();
  const knobs = new Knobs((settings) => {
    race?.apply(settings);
    if (race && race.steps >= end) end = Math.min(race.steps + LAP, LONGEST);
    advance(0);
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
  };

  /** Advances by so many steps, or to the end if the visitor wants nothing to move. */
  const advance = (steps: number) => {
    if (!race || isPaused) return;
    const target = wantsStillness() ? end : Math.min(race.steps + steps, end);
    if (race.steps >= target) return;
    while (race.steps < target) race.advance();
    show();
    if (race.steps >= end) board.announce(race);
  };

  const drop = (start: Point, surface = race!.surface) => {
    race?.dispose();
    race = new Race(surface, start, knobs.settings);
    end = LAP;
    pause(false);
    stage.show(race);
    show();
    advance(0);
  };

  const pauseButton = button("race-pause");
  const pause = (wanted: boolean) => {
    isPaused = wanted;
    pauseButton.setAttribute("aria-pressed", String(wanted));
    pauseButton.textContent = wanted ? "Go on" : "Pause";
  };
  pauseButton.addEventListener("click", () => pause(!isPaused));
  button("race-again").addEventListener("click", () => drop(race!.start));

  knobs.dialect = FIRST_DIALECT;
  onChoice("race-surface", (name) => {
    const surface = surfaces[name as SurfaceName];
    html("race-caption").textContent = captions[name as SurfaceName];
    knobs.rates = surface;
    drop(surface.start, surface);
  });
  whileSeen(stage.place, () => advance(1));
}
