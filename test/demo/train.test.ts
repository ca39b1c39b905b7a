/** The training, the packed digits and the field to draw in, apart from the page. */
import { describe, expect, it } from "vitest";
import { Curves } from "../../demo/train/curves.ts";
import { FIELD, Ink } from "../../demo/train/ink.ts";
import type { Progress, RunProgress } from "../../demo/train/messages.ts";
import { packDigits, unpackDigits } from "../../demo/train/pack.ts";
import { GUESS, type Method, PATIENCE, Trainer } from "../../demo/train/trainer.ts";
import { brokenText } from "../../demo/train/words.ts";
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

interface Wanted {
  method?: Method;
  lr?: number;
  memory?: WebAssembly.Memory;
}

function trained(steps: number, { method = "rmsprop", lr = 1e-3, memory }: Wanted = {}): Trainer {
  const trainer = new Trainer(method, digits, lr, memory);
  for (let i = 0; i < steps; i++) trainer.step();
  return trainer;
}

/** Trains until it is broken, so many steps at most. */
function broken(wanted: Wanted, most = 400): Trainer {
  const trainer = trained(0, wanted);
  while (trainer.steps < most && !trainer.broken) trainer.step();
  return trainer;
}

describe("training", () => {
  it.each([
    ["rmsprop", 1e-3],
    ["descent", 0.1],
  ] as const)("by %s gets most digits right that it has never seen", (method, lr) => {
    const trainer = trained(400, { method, lr });
    expect(trainer.accuracy()).toBeGreaterThan(0.85);
    expect(trainer.broken).toBeUndefined();
  });

  it("gives the same weights in a memory that threads share", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 256, shared: true });
    const [alone, shared] = [trained(20), trained(20, { memory })];
    expect(shared.optimizer.memory).toBe(memory);
    expect([...shared.optimizer.params.w1]).toEqual([...alone.optimizer.params.w1]);
  });

  it("starts both methods alike, and shows them the same digits", () => {
    const [one, other] = [trained(0), trained(0, { method: "descent", lr: 0.1 })];
    expect([...one.optimizer.params.w1]).toEqual([...other.optimizer.params.w1]);
    expect(one.step()).toBe(other.step());
    expect([...one.optimizer.grads.w2]).toEqual([...other.optimizer.grads.w2]);
  });

  it("descends by the gradient times its rate, and steps with the rate that it is given in between", () => {
    const descent = trained(5, { method: "descent", lr: 0.1 });
    const { params, grads } = descent.optimizer;
    const before = params.w2.slice();
    descent.lr = 0.01;
    descent.step();
    for (const [i, value] of params.w2.entries()) {
      expect(value).toBe(Math.fround(before[i]! - 0.01 * grads.w2[i]!));
    }
    const rmsprop = trained(5);
    rmsprop.lr = 2e-3;
    rmsprop.step();
    expect(rmsprop.optimizer.groups[0].lr).toBe(2e-3);
    expect([rmsprop.steps, rmsprop.optimizer.steps]).toEqual([6, 6]);
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

describe("a run at too large a rate", () => {
  it.each([
    ["descent", 10],
    ["rmsprop", 1],
  ] as const)("of %s is found to be broken, and says since when and why", (method, lr) => {
    const trainer = broken({ method, lr });
    const { why, step, lr: at } = trainer.broken!;
    expect([step, at]).toEqual([trainer.steps, lr]);
    const grads = trainer.optimizer.grads.w1;
    const loss = trainer.step();
    if (why === "nan") expect(loss).toBeNaN();
    else {
      expect(step).toBeGreaterThanOrEqual(PATIENCE);
      if (why === "dead") expect(grads.every((grad) => grad === 0)).toBe(true);
      else expect(loss).toBeGreaterThan(GUESS);
    }
    expect(trainer.broken).toEqual({ why, step, lr });
  });

  it("is told with its reason, each run by itself", () => {
    const runs = { rmsprop: {}, descent: { broken: { why: "nan", step: 57, lr: 3.2 } } } as const;
    expect(brokenText(runs)).toBe(
      "Gradient descent is broken: start over. At step 57, with lr = 3.2, its loss is no number any more. Choose a smaller lr first.",
    );
    const both = brokenText({
      rmsprop: { broken: { why: "dead", step: 80, lr: 1 } },
      descent: { broken: { why: "exploded", step: 90, lr: 2 } },
    });
    expect(both).toMatch(/^RMSprop is broken: .* dead\. Gradient descent is broken: .* above 23, 10 times/);
    expect(brokenText({ rmsprop: {}, descent: {} })).toBe("");
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
  const run = (more: Partial<RunProgress>) => ({ report: {} as RunProgress["report"], ...more });
  const progress = (
    steps: number,
    rmsprop: Partial<RunProgress>,
    descent: Partial<RunProgress>,
  ): Progress => ({
    tell: "progress",
    steps,
    imagesPerSecond: 1,
    runs: { rmsprop: run(rmsprop), descent: run(descent) },
  });

  it("stand side by side over the same steps, and leave out what can't be drawn and what is broken", () => {
    const curves = new Curves();
    curves.add(progress(10, { loss: 2, accuracy: 0.5 }, { loss: 3, accuracy: 0.25 }));
    curves.add(progress(20, { loss: 1 }, { loss: Number.NaN }));
    curves.add(progress(30, { loss: 0.5, accuracy: 0.75 }, {}));
    expect(curves.steps).toEqual([10, 20, 30]);
    expect(curves.loss).toEqual({ rmsprop: [2, 1, 0.5], descent: [3, null, null] });
    expect(curves.testSteps).toEqual([10, 30]);
    expect(curves.accuracy).toEqual({ rmsprop: [50, 75], descent: [25, null] });
  });
});
