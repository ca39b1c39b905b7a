/** The MNIST example: its gradients, its `exp`, its reader of files, and the promise of equal bits. */
import { describe, expect, test } from "vitest";
import { loadMnist, parseDataSet, parseIdx } from "../../examples/mnist/data.ts";
import { exp } from "../../examples/mnist/math.ts";
import { accumulateGradients, initialise, type Tensors } from "../../examples/mnist/network.ts";
import { seededRandom, shuffle } from "../../examples/mnist/random.ts";
import { train } from "../../examples/mnist/train.ts";

function replaced<Values extends Uint8Array | Float64Array>(
  values: Values,
  i: number,
  value: number,
): Values {
  const copy = values.slice() as Values;
  copy[i] = value;
  return copy;
}

describe("gradients", () => {
  const [inputs, hidden, classes, images] = [7, 6, 3, 5];
  const random = seededRandom(3);
  const data = {
    images: Uint8Array.from({ length: images * inputs }, () => (random() < 0.3 ? 0 : 256 * random())),
    labels: Uint8Array.from({ length: images }, () => classes * random()),
  };
  const batch = Uint32Array.of(4, 0, 2, 3);
  const zeros = () => ({
    w1: new Float64Array(inputs * hidden),
    b1: new Float64Array(hidden),
    w2: new Float64Array(hidden * classes),
    b2: new Float64Array(classes),
  });
  const params = zeros();
  initialise(params, random);
  params.b1.set(params.b1.map(() => random() - 0.5));
  params.b2.set(params.b2.map(() => random() - 0.5));
  const lossAt = (at: Tensors) => accumulateGradients(at, zeros(), data, batch);

  test.each(["w1", "b1", "w2", "b2"] as const)("of %s agree with central differences", (name) => {
    const grads = zeros();
    accumulateGradients(params, grads, data, batch);
    const h = 1e-5;
    const differences = params[name].map((value, i) => {
      const moved = (to: number) => ({ ...params, [name]: replaced(params[name], i, to) });
      return (lossAt(moved(value + h)) - lossAt(moved(value - h))) / (2 * h);
    });
    expect(grads[name].some((grad) => grad !== 0)).toBe(true);
    for (const [i, difference] of differences.entries()) {
      expect(grads[name][i], `${name}[${i}]`).toBeCloseTo(difference, 8);
    }
  });

  test("add up over calls", () => {
    const [once, twice] = [zeros(), zeros()];
    accumulateGradients(params, once, data, batch);
    accumulateGradients(params, twice, data, batch);
    accumulateGradients(params, twice, data, batch);
    for (const [i, grad] of twice.w1.entries()) expect(grad).toBeCloseTo(2 * once.w1[i]!, 12);
  });
});

describe("exp", () => {
  /** Doubles of one sign, as integers, are in order and without gaps. */
  const ulpsBetween = (a: number, b: number) => {
    const [x, y] = new BigInt64Array(Float64Array.of(a, b).buffer);
    return Math.abs(Number(x! - y!));
  };

  test("is within 2 units in the last place of Math.exp, which is itself within 1", () => {
    const random = seededRandom(1);
    let worst = 0;
    const compare = (x: number) => {
      worst = Math.max(worst, ulpsBetween(exp(x), Math.exp(x)));
    };
    for (let i = 0; i < 200_000; i++) {
      compare(-708 + 1417 * random());
      compare(-20 * random());
    }
    for (let k = -1021; k < 1023; k++) compare((k + 0.5) * Math.LN2); // where the reduction changes over
    expect(worst).toBeLessThanOrEqual(2);
  });

  test("gives a fixed bit pattern", () => {
    const random = seededRandom(2);
    const values = Float64Array.from({ length: 1000 }, () => exp(-30 * random()));
    let hash = 0;
    for (const word of new Int32Array(values.buffer)) hash = (Math.imul(hash, 31) + word) | 0;
    expect(hash).toMatchInlineSnapshot(`2043036154`);
  });

  test("at its ends", () => {
    expect(exp(0)).toBe(1);
    expect(exp(-0)).toBe(1);
    expect(exp(-708)).toBeGreaterThan(0);
    expect(exp(-708.1)).toBe(0);
    expect(exp(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(exp(709)).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(exp(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(exp(Number.NaN)).toBeNaN();
  });
});

describe("random numbers", () => {
  test("depend on the seed only", () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1)).not.toEqual(draw(1 + 2 ** 32));
  });

  test("shuffle keeps every value", () => {
    const order = Uint32Array.from({ length: 1000 }, (_, i) => i);
    const shuffled = order.slice();
    shuffle(shuffled, seededRandom(1));
    expect(shuffled).not.toEqual(order);
    expect(shuffled.slice().sort()).toEqual(order);
  });
});

describe("training", () => {
  const data = loadMnist();
  const run = (backend: "wasm" | "js", seed = 1) => train(data, { epochs: 1, limit: 2000, seed, backend });

  test("gives the same weights with either backend, and learns", () => {
    const [wasm, js] = [run("wasm"), run("js")];
    expect([wasm.backend, js.backend]).toEqual(["wasm", "js"]);
    expect(wasm.updates).toBe(32);
    expect(wasm.accuracy).toBeGreaterThan(0.8);
    expect(wasm.digest).toBe(js.digest);
    expect(wasm.digest).toMatchInlineSnapshot(
      `"dc9bb4f870bb4145238bb3e66f4a61d0d97f48a75777cc64f271de2008cd7f2f"`,
    );
    expect(wasm.race?.largestDifference).toBeLessThan(1e-5); // the plain loop did the same work
    expect(run("wasm", 2).digest).not.toBe(wasm.digest);
  });
});

describe("data", () => {
  const idx = (magic: number, dimensions: number[], length: number) => {
    const file = new Uint8Array(4 + 4 * dimensions.length + length);
    const view = new DataView(file.buffer);
    for (const [i, word] of [magic, ...dimensions].entries()) view.setUint32(4 * i, word);
    return file;
  };
  const images = idx(0x803, [2, 28, 28], 2 * 28 * 28);

  test("of a true file", () => {
    const { dimensions, values } = parseIdx(replaced(images, 16, 7), 3);
    expect(dimensions).toEqual([2, 28, 28]);
    expect(values).toHaveLength(2 * 28 * 28);
    expect(values[0]).toBe(7);
  });

  test.each([
    [
      "a label file where images belong",
      idx(0x801, [8], 8),
      "magic number is 0x00000801, expected 0x00000803",
    ],
    ["a file cut short", images.subarray(0, -1), "promises 1584 bytes, but the file has 1583"],
    ["a file too long", idx(0x803, [1, 28, 28], 785), "promises 800 bytes, but the file has 801"],
    ["half a header", images.subarray(0, 10), "10 bytes is shorter than its header of 16"],
    ["an empty file", new Uint8Array(0), "0 bytes is shorter"],
  ])("refuses %s", (_, file, message) => {
    expect(() => parseIdx(file, 3)).toThrow(message);
  });

  test.each([
    ["other sizes", idx(0x803, [2, 4, 5], 40), idx(0x801, [2], 2), "4 × 5 pixels, expected 28 × 28"],
    ["missing labels", images, idx(0x801, [1], 1), "2 images, but 1 labels"],
    ["labels that are no digits", images, replaced(idx(0x801, [2], 2), 9, 10), "a label is 10"],
  ])("refuses %s", (_, imageFile, labelFile, message) => {
    expect(() => parseDataSet(imageFile, labelFile)).toThrow(message);
  });
});
