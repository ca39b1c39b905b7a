/** RMSprop's state, from the optimizer's own. */
import { chart } from "../page/chart.ts";
import { html } from "../page/dom.ts";
import { short } from "../page/numbers.ts";
import type { Race } from "./race.ts";
import type { Point } from "./surfaces.ts";

/** Rates outside of it, as of an axis along which it has never sloped, would squeeze all others. */
const SHOWN = { least: 1e-4, greatest: 1e3 };
const clamp = (rate: number) => Math.min(Math.max(rate, SHOWN.least), SHOWN.greatest);

export class Inside {
  readonly #chart = chart(html("rates"), {
    height: 150,
    curves: [
      { color: "descent", dash: [5, 4], width: 1.5 },
      { color: "rmsprop" },
      { color: "rmsprop-2", dash: [2, 2] },
    ],
  });

  /** RMSprop's effective learning rates, of each step. */
  #rates: Point[] = [];

  /** Begins with the first step of a race. */
  clear(): void {
    this.#rates = [];
  }

  /** Notes the step that has just been taken. */
  record({ rmsprop }: Race): void {
    this.#rates.push(rmsprop.effectiveLr);
  }

  update({ rmsprop, lanes }: Race, descentLr: number): void {
    const { steepness } = rmsprop;
    const rates = this.#rates;
    const rate = rates.at(-1);
    html("steep-x").textContent = short(steepness.x);
    html("steep-y").textContent = short(steepness.y);
    html("rate-x").textContent = rate ? short(rate.x) : "–";
    html("rate-y").textContent = rate ? short(rate.y) : "–";
    html("rate-descent").textContent = short(descentLr);
    this.#chart.draw(
      rates.map((_, step) => step + 1),
      rates.map(() => (lanes.descent.outAfter !== undefined ? null : clamp(descentLr))),
      rates.map(({ x }) => clamp(x)),
      rates.map(({ y }) => clamp(y)),
    );
  }
}
