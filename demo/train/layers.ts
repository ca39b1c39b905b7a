/** `optimizer.report()`: a column for each tensor, a row for each figure. */
import type { TensorReport } from "rmsprop-wasm";
import { html, make } from "../page/dom.ts";
import { percent, short } from "../page/numbers.ts";
import type { RunProgress, TensorName } from "./messages.ts";
import type { Method } from "./trainer.ts";

const TENSORS: TensorName[] = ["w1", "b1", "w2", "b2"];

interface Figure {
  title: string;
  text(report: TensorReport): string;
  /** It says nothing of a network that gradient descent trains. */
  isOfRmsprop?: boolean;
}

const FIGURES: Figure[] = [
  { title: "Gradient", text: ({ gradRms }) => short(gradRms) },
  { title: "Update ÷ weight", text: ({ updateRatio }) => short(updateRatio), isOfRmsprop: true },
  { title: "Median rate", text: ({ medianLr }) => short(medianLr), isOfRmsprop: true },
  { title: "Zero gradients", text: ({ zeroGradShare }) => percent(zeroGradShare, 0) },
  { title: "Not finite", text: ({ nonFinite }) => String(nonFinite) },
];

const NOTHING = "–";

export class Layers {
  readonly #rows = FIGURES.map((figure) => {
    const cells = TENSORS.map(() => make("td", { class: "num" }, NOTHING));
    html("layers").append(make("tr", {}, make("th", { scope: "row" }, figure.title), ...cells));
    return { figure, cells };
  });

  update({ report }: RunProgress, method: Method): void {
    for (const { figure, cells } of this.#rows) {
      const isSilent = figure.isOfRmsprop && method !== "rmsprop";
      cells.forEach((cell, i) => {
        cell.textContent = isSilent ? NOTHING : figure.text(report[TENSORS[i]!]);
      });
    }
  }

  clear(): void {
    for (const { cells } of this.#rows) for (const cell of cells) cell.textContent = NOTHING;
  }
}
