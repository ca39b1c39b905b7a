/** The weights that lead to the hidden units, as pictures. */
import { element } from "../page/dom.ts";
import { colorOf } from "../page/theme.ts";
import { rgbOf } from "./colors.ts";
import type { Weights } from "./messages.ts";
import { HIDDEN } from "./trainer.ts";

const SIDE = 28;
const GAP = 2;
const [COLUMNS, ROWS] = [8, 4];
const STRIDE = SIDE + GAP;
/** The multiple of their root mean square that gets full colour. */
const FULL = 3;

export class Wall {
  readonly #canvas = element("wall", HTMLCanvasElement);
  readonly #context = this.#canvas.getContext("2d")!;

  constructor() {
    this.#canvas.width = COLUMNS * STRIDE - GAP;
    this.#canvas.height = ROWS * STRIDE - GAP;
  }

  /** Draws the units, which are the columns of a matrix that is stored row by row, a row for each pixel. */
  update({ w1 }: Weights): void {
    const { width, height } = this.#canvas;
    const image = this.#context.createImageData(width, height);
    const [forIt, against, none] = [
      rgbOf(colorOf("rmsprop")),
      rgbOf(colorOf("descent")),
      rgbOf(colorOf("paper")),
    ];
    let squares = 0;
    for (let i = 0; i < w1.length; i++) squares += w1[i]! * w1[i]!;
    const unit = FULL * Math.sqrt(squares / w1.length) || 1;
    for (let tile = 0; tile < COLUMNS * ROWS; tile++) {
      const [left, top] = [(tile % COLUMNS) * STRIDE, Math.floor(tile / COLUMNS) * STRIDE];
      for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
        const weight = w1[pixel * HIDDEN + tile]! / unit;
        const strength = Math.min(Math.abs(weight), 1);
        const color = weight > 0 ? forIt : against;
        const at = 4 * ((top + Math.floor(pixel / SIDE)) * width + left + (pixel % SIDE));
        for (let channel = 0; channel < 3; channel++) {
          image.data[at + channel] = none[channel]! + (color[channel]! - none[channel]!) * strength;
        }
        image.data[at + 3] = 255;
      }
    }
    this.#context.putImageData(image, 0, 0);
  }
}
