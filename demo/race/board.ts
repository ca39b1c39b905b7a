/** The board: how far each racer is. */
import { html, make } from "../page/dom.ts";
import { short } from "../page/numbers.ts";
import { racerTitles } from "./captions.ts";
import { ARRIVED, type Lane, RACER_NAMES, type Race } from "./race.ts";

/** The one this page is about comes first. */
const ORDER = [...RACER_NAMES].reverse();

export class Board {
  readonly #rows = ORDER.map((name) => {
    const [distance, state] = [make("td", { class: "num" }), make("td", { class: "state" })];
    const swatch = make("span", { class: `swatch ${name}` });
    html("board").append(
      make("tr", {}, make("th", { scope: "row" }, swatch, racerTitles[name]), distance, state),
    );
    return { name, distance, state };
  });

  update(race: Race): void {
    html("race-steps").textContent = String(race.steps);
    for (const { name, distance, state } of this.#rows) {
      const lane = race.lanes[name];
      distance.textContent = lane.isOut ? "–" : lane.distance.toFixed(3);
      state.textContent = stateOf(lane);
    }
  }

  /** Tells those who hear the page how a race has ended. */
  announce(race: Race): void {
    const results = ORDER.map((name) => {
      const lane = race.lanes[name];
      return `${racerTitles[name]}: ${lane.isOut ? "thrown out" : `${short(lane.distance)} from the lowest point`}`;
    });
    html("race-said").textContent = `After ${race.steps} steps. ${results.join(". ")}.`;
  }
}

function stateOf({ isOut, arrivedAfter, distance }: Lane): string {
  if (isOut) return "thrown out";
  if (arrivedAfter === undefined) return "on its way";
  return distance < ARRIVED ? `there after ${arrivedAfter}` : `was there at ${arrivedAfter}`;
}
