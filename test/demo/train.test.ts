/** The training, the packed digits and the field to draw in, apart from the page. */
import { describe, expect, it } from "vitest";
import { Curves } from "../../demo/train/curves.ts";
import { FIELD, Ink } from "../../demo/train/ink.ts";
import type { Progress } from "../../demo/train/messages.ts";
import { packDigits, unpackDigits } from "../../demo/train/pack.ts";
import { Trainer } from "../../demo/train/trainer.ts";
import { loadMnist } from "../../examples/mnist/data.ts";
import { PIXELS } from "../../examples/mnist/digits.ts";
import { classify } from "../../examples/mnist/network.ts";

const mnist = loadMnist();
const packed = packDigits(mnist, { train: 2000, test: 300 });
const digits = unpackDigits(packed);
const imageAt = (set: { images: Uint8Array }, i: number) => set.images.subarray(i * PIXELS, (i + 1) * PIXELS);

describe("packed digits", () => {
  it("come back with their labels, no pixel off by more than half a level", () => {
    expect(digits.train.labels).toEqual(mnist.train.labels.slice(0, 2000));
    expect(digits.test.labels).toEqual(mnist.test.labels.slice(0, 300));
    for (const [ours, theirs] of [
      [digits.train.images, mnist.train.images],
      [digits.test.images, mnist.test.images],
    ] as const) {
      expect(
        ours.reduce((worst, value, i) => Math.max(worst, Math.abs(value - theirs[i]!)), 0),
      ).toBeLessThanOrEqual(8);
    }
    expect(new Set(digits.train.images).size).toBe(16);
  });

  it.each([
    ["cut short", packed.subarray(0, -1)],
    ["with something behind", new Uint8Array([...packed, 0])],
    ["without their header", packed.subarray(0, 3)],
  ])("%s are refused", (_, bytes) => {
    expect(() => unpackDigits(bytes)).toThrow("cut short");
  });
});

const settings = { method: "rmsprop", lr: 1e-3, descentLr: 0.01 } as const;

function trained(steps: number, more: object = {}, memory?: WebAssembly.Memory): Trainer {
  const trainer = new Trainer(digits, { ...settings, ...more }, memory);
  for (let i = 0; i < steps; i++) trainer.step();
  return trainer;
}

describe("training", () => {
  it("gets most digits right that it has never seen", () => {
    expect(trained(400).accuracy()).toBeGreaterThan(0.85);
  });

  it("gives the same weights in a memory that threads share", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 256, shared: true });
    const [alone, shared] = [trained(20), trained(20, {}, memory)];
    expect(shared.optimizer.memory).toBe(memory);
    expect([...shared.optimizer.params.w1]).toEqual([...alone.optimizer.params.w1]);
  });

  it("goes over to gradient descent and back where it stands", () => {
    const trainer = trained(50);
    const { params, grads, state } = trainer.optimizer;
    const [before, average] = [params.w2.slice(), state.w2.squareAvg.slice()];
    trainer.settings = { ...settings, method: "descent" };
    trainer.step();
    for (const [i, value] of params.w2.entries()) {
      expect(value).toBe(Math.fround(before[i]! - 0.01 * grads.w2[i]!));
    }
    expect(state.w2.squareAvg).toEqual(average);
    trainer.settings = { ...settings, lr: 2e-3 };
    trainer.step();
    expect(trainer.optimizer.groups[0].lr).toBe(2e-3);
    expect(state.w2.squareAvg).not.toEqual(average);
    expect([trainer.steps, trainer.optimizer.steps]).toEqual([52, 51]);
  });

  it("uses every image once before any comes again", () => {
    const trainer = trained(0);
    const batches = Math.floor(2000 / 64);
    const losses = Array.from({ length: 3 * batches }, () => trainer.step());
    expect(losses.every(Number.isFinite)).toBe(true);
    const mean = (from: number) =>
      losses.slice(from, from + batches).reduce((sum, loss) => sum + loss) / batches;
    expect(mean(2 * batches)).toBeLessThan(mean(0) / 2);
  });
});

describe("the field to draw in", () => {
  const { params } = trained(800).optimizer;
  const read = (ink: Ink) => {
    const probabilities = classify(params, ink.toDigit()!);
    return probabilities.indexOf(Math.max(...probabilities));
  };

  it("gives nothing while it is empty, or again", () => {
    const ink = new Ink();
    expect(ink.toDigit()).toBeUndefined();
    ink.line(10, 10, 200, 200);
    expect(ink.toDigit()).toBeDefined();
    ink.clear();
    expect(ink.toDigit()).toBeUndefined();
  });

  it("gives an image of MNIST nearly as it was", () => {
    const ink = new Ink();
    let difference = 0;
    for (let i = 0; i < 300; i++) {
      const image = imageAt(digits.test, i);
      ink.paste(image);
      ink.toDigit()!.forEach((value, pixel) => {
        difference += Math.abs(value - image[pixel]!);
      });
    }
    expect(difference / 300 / PIXELS).toBeLessThan(1);
  });

  it("is read as the digits that are drawn in it", () => {
    const ink = new Ink();
    let right = 0;
    for (let i = 0; i < 300; i++) {
      ink.paste(imageAt(digits.test, i));
      if (read(ink) === digits.test.labels[i]) right++;
    }
    expect(right / 300).toBeGreaterThan(0.85);

    ink.clear();
    ink.line(140, 50, 140, 230);
    expect(read(ink)).toBe(1);
    ink.clear();
    for (let i = 0; i < 40; i++) {
      const at = (turn: number) => [140 + 55 * Math.cos(turn), 140 + 80 * Math.sin(turn)] as const;
      ink.line(...at((i * Math.PI) / 20), ...at(((i + 1) * Math.PI) / 20));
    }
    expect(read(ink)).toBe(0);
  });

  it("gives the same image wherever the same is drawn, and however large", () => {
    const draw = (x: number, y: number, size: number) => {
      const ink = new Ink();
      ink.line(x, y, x + size, y);
      ink.line(x + size, y, x, y + 2 * size);
      return ink.toDigit()!;
    };
    const image = draw(60, 40, 80);
    const mean = (other: Uint8Array) =>
      other.reduce((sum, value, i) => sum + Math.abs(value - image[i]!), 0) / PIXELS;
    expect(mean(draw(110, 70, 80))).toBeLessThan(1);
    expect(mean(draw(60, 40, 100))).toBeLessThan(20);
  });

  it("takes strokes that leave it", () => {
    const ink = new Ink();
    ink.line(-50, -50, FIELD + 50, FIELD + 50);
    expect(ink.pixels.some((value) => value > 0)).toBe(true);
    expect(ink.toDigit()).toHaveLength(PIXELS);
  });
});

describe("the curves", () => {
  const progress = (steps: number, more: Partial<Progress>): Progress => ({
    tell: "progress",
    loss: 1,
    steps,
    imagesPerSecond: 1,
    method: "rmsprop",
    report: {} as Progress["report"],
    ...more,
  });

  it("go over from one optimizer's line to the other's without a gap, and leave out what can't be drawn", () => {
    const curves = new Curves();
    curves.add(progress(10, { loss: 2, accuracy: 0.5 }));
    curves.add(progress(20, { loss: 1 }));
    curves.add(progress(30, { loss: 3, method: "descent" }));
    curves.add(progress(40, { loss: Number.NaN, method: "descent" }));
    expect(curves.steps).toEqual([10, 20, 30, 40]);
    expect(curves.loss.rmsprop).toEqual([2, 1, null, null]);
    expect(curves.loss.descent).toEqual([null, 1, 3, null]);
    expect([curves.testSteps, curves.accuracy]).toEqual([[10], [50]]);
  });
});
