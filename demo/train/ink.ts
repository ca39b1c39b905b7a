/** The ink in the field, and the image of a digit that it makes. */
import { PIXELS } from "../../examples/mnist/digits.ts";

/** Width and height of the field, in pixels. */
export const FIELD = 280;
const SIDE = 28;
/** MNIST's digits fit a box of so many pixels, and their centre of mass is the middle of the image. */
const BOX = 20;
/** The pen's width: as thick, beside a digit that fills the field, as MNIST's lines are. */
const PEN_RADIUS = 11;

export class Ink {
  /** Values from 0 for paper to 255 for ink, row by row. */
  readonly pixels = new Uint8Array(FIELD * FIELD);

  clear(): void {
    this.pixels.fill(0);
  }

  /** A stroke with a round pen, soft at its rim. */
  line(fromX: number, fromY: number, toX: number, toY: number): void {
    const [dx, dy] = [toX - fromX, toY - fromY];
    const squaredLength = dx * dx + dy * dy;
    const reach = PEN_RADIUS + 1;
    const top = Math.max(0, Math.floor(Math.min(fromY, toY) - reach));
    const bottom = Math.min(FIELD - 1, Math.ceil(Math.max(fromY, toY) + reach));
    const left = Math.max(0, Math.floor(Math.min(fromX, toX) - reach));
    const right = Math.min(FIELD - 1, Math.ceil(Math.max(fromX, toX) + reach));
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const along = squaredLength === 0 ? 0 : ((x - fromX) * dx + (y - fromY) * dy) / squaredLength;
        const share = Math.min(Math.max(along, 0), 1);
        const distance = Math.hypot(x - fromX - share * dx, y - fromY - share * dy);
        const ink = 255 * Math.min(Math.max(reach - distance, 0), 1);
        const i = y * FIELD + x;
        this.pixels[i] = Math.max(this.pixels[i]!, ink);
      }
    }
  }

  /** Puts an image of 28 × 28 in place of all that was there. */
  paste(image: Uint8Array): void {
    const scale = FIELD / SIDE;
    for (let y = 0; y < FIELD; y++) {
      for (let x = 0; x < FIELD; x++) {
        this.pixels[y * FIELD + x] = image[Math.floor(y / scale) * SIDE + Math.floor(x / scale)]!;
      }
    }
  }

  /** The image as MNIST has it: fitted into its box, centred by its mass. Undefined for an empty field. */
  toDigit(): Uint8Array | undefined {
    const { pixels } = this;
    let [left, right, top, bottom] = [FIELD, -1, FIELD, -1];
    let [mass, massX, massY] = [0, 0, 0];
    pixels.forEach((ink, i) => {
      if (ink === 0) return;
      const [x, y] = [i % FIELD, Math.floor(i / FIELD)];
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      mass += ink;
      massX += ink * (x + 0.5);
      massY += ink * (y + 0.5);
    });
    if (mass === 0) return undefined;

    /** Pixels of the field for one pixel of the image. */
    const unit = Math.max(right - left + 1, bottom - top + 1) / BOX;
    const image = new Uint8Array(PIXELS);
    // Moved by whole pixels, to the middle of a pixel, as MNIST's were: one of its own comes out as it was.
    const [middleX, middleY] = [(massX / mass - left) / unit, (massY / mass - top) / unit];
    const cornerX = left - Math.round(SIDE / 2 + 0.5 - middleX) * unit;
    const cornerY = top - Math.round(SIDE / 2 + 0.5 - middleY) * unit;
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        image[y * SIDE + x] = this.#mean(cornerX + x * unit, cornerY + y * unit, unit);
      }
    }
    return image;
  }

  /** The mean of a square's pixels; outside of the field there is no ink. */
  #mean(left: number, top: number, side: number): number {
    const samples = Math.max(1, Math.round(side));
    let sum = 0;
    for (let j = 0; j < samples; j++) {
      const y = Math.floor(top + ((j + 0.5) * side) / samples);
      if (y < 0 || y >= FIELD) continue;
      for (let i = 0; i < samples; i++) {
        const x = Math.floor(left + ((i + 0.5) * side) / samples);
        if (x >= 0 && x < FIELD) sum += this.pixels[y * FIELD + x]!;
      }
    }
    return sum / (samples * samples);
  }
}
