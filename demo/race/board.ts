/** The board: how far each racer is, and what it has been doing lately. */
import { html, make } from "../page/dom.ts";
import { BY_INTEREST, captionOf, racerTitles, stateOf, verdictOf } from "./captions.ts";
import type { Race } from "./race.ts";

/** Steps between two captions: people have to read them. */
const CAPTION_STEPS = 40;

export class Board {
  readonly #rows = BY_INTEREST.map((name) => {
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
      distance.textContent = lane.outAfter === undefined ? lane.distance.toFixed(3) : "–";
      state.textContent = stateOf(lane, race);
    }
    const verdict = html("race-verdict");
    verdict.classList.toggle("shown", race.isOver);
    if (race.steps % CAPTION_STEPS === 0 || race.isOver) this.caption(race);
    if (!race.isOver) verdict.replaceChildren();
    else {
      const { title, detail } = verdictOf(race);
      verdict.replaceChildren(make("b", {}, title), " ", make("span", {}, detail));
    }
  }

  /** Says what has happened by now. */
  caption(race: Race): void {
    const said = race.steps === 0 ? "They start." : captionOf(race);
    html("race-caption").textContent = `Step ${race.steps}. ${said}`;
  }
}
