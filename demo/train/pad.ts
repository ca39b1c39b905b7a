/** The field to draw in, and the network's reading of it. */
import { classify } from "../../examples/mnist/network.ts";
import { button, element, html, make } from "../page/dom.ts";
import { percent } from "../page/numbers.ts";
import { colorOf, onThemeChange } from "../page/theme.ts";
import { rgbOf } from "./colors.ts";
import { FIELD, Ink } from "./ink.ts";
import type { Weights } from "./messages.ts";

export class Pad {
  readonly #ink = new Ink();
  readonly #canvas = element("pad", HTMLCanvasElement);
  readonly #context = this.#canvas.getContext("2d")!;
  readonly #bars = Array.from({ length: 10 }, (_, digit) => {
    const bar = make("span", { class: "fill" });
    const share = make("span", { class: "num" });
    const row = make("li", {}, make("b", {}, String(digit)), make("span", { class: "track" }, bar), share);
    html("pad-bars").append(row);
    return { row, bar, share };
  });
  /** The label of the digit in the field, if it is known. */
  #label: number | undefined;
  #hasChanged = true;

  /** @param weights of the network as it is now, once there is one. */
  constructor(readonly weights: () => Weights | undefined) {
    let from: { x: number; y: number } | undefined;
    const at = ({ clientX, clientY }: PointerEvent) => {
      const { left, top, width, height } = this.#canvas.getBoundingClientRect();
      return { x: ((clientX - left) / width) * FIELD, y: ((clientY - top) / height) * FIELD };
    };
    const draw = (event: PointerEvent) => {
      const to = at(event);
      this.#ink.line((from ?? to).x, (from ?? to).y, to.x, to.y);
      from = to;
      this.#label = undefined;
      this.#hasChanged = true;
    };
    this.#canvas.addEventListener("pointerdown", (event) => {
      this.#canvas.setPointerCapture(event.pointerId);
      // A digit from the data is replaced, not drawn on.
      if (this.#label !== undefined) this.#ink.clear();
      draw(event);
    });
    this.#canvas.addEventListener("pointermove", (event) => {
      if (from) draw(event);
    });
    for (const name of ["pointerup", "pointercancel"] as const) {
      this.#canvas.addEventListener(name, () => {
        from = undefined;
      });
    }
    button("pad-clear").addEventListener("click", () => {
      this.#ink.clear();
      this.#label = undefined;
      this.#hasChanged = true;
    });
    onThemeChange(() => {
      this.#hasChanged = true;
    });
  }

  paste(image: Uint8Array, label: number): void {
    this.#ink.paste(image);
    this.#label = label;
    this.#hasChanged = true;
    this.update();
  }

  /** Draws changes, and reads anew: the weights may have changed when nothing else has. */
  update(): void {
    if (this.#hasChanged) this.#draw();
    this.#hasChanged = false;
    const image = this.#ink.toDigit();
    const weights = this.weights();
    const probabilities = image && weights ? [...classify(weights, image)] : undefined;
    const best = probabilities?.indexOf(Math.max(...probabilities)) ?? -1;
    this.#bars.forEach(({ row, bar, share }, digit) => {
      const value = probabilities?.[digit] ?? 0;
      bar.style.width = `${100 * value}%`;
      share.textContent = probabilities ? percent(value, 0) : "";
      row.classList.toggle("best", digit === best);
    });
    const said = this.#verdict(image !== undefined, weights !== undefined, best);
    const verdict = html("pad-verdict");
    if (verdict.textContent !== said) verdict.textContent = said;
  }

  #verdict(isDrawn: boolean, isThere: boolean, best: number): string {
    if (!isDrawn) return "Draw, and it reads as you go.";
    if (!isThere) return "Train it first: it can’t read yet.";
    if (this.#label === undefined) return `It reads ${best}.`;
    return best === this.#label
      ? `It reads ${best}, and is right.`
      : `It reads ${best}, but it is ${this.#label}.`;
  }

  #draw(): void {
    const image = this.#context.createImageData(FIELD, FIELD);
    const [paper, ink] = [rgbOf(colorOf("paper")), rgbOf(colorOf("ink"))];
    this.#ink.pixels.forEach((value, i) => {
      for (let channel = 0; channel < 3; channel++) {
        image.data[4 * i + channel] = paper[channel]! + ((ink[channel]! - paper[channel]!) * value) / 255;
      }
      image.data[4 * i + 3] = 255;
    });
    this.#context.putImageData(image, 0, 0);
  }
}
