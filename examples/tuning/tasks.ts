/** Six small trainings with hand-written gradients, each different in what it asks of a learning rate. */
import { loadMnist } from "../mnist/data.ts";
import { seededRandom } from "../mnist/random.ts";
import { cartPole } from "./cart-pole.ts";
import { characters } from "./characters.ts";
import {
  affine,
  affineBackward,
  crossEntropy,
  initialise,
  normal,
  squaredError,
  type Tensors,
  tanh,
  tanhBackward,
} from "./layers.ts";
import type { Random, Task } from "./task.ts";

function mnist(): Task {
  const { train, test } = loadMnist();
  const [pixels, hidden, classes, batch, held] = [784, 64, 10, 32, 500];
  const forward = (p: Tensors, x: ArrayLike<number>, rows: number) => {
    const h = affine(x, p.w1!, p.b1!, rows, pixels, hidden);
    for (let i = 0; i < h.length; i++) if (h[i]! < 0) h[i] = 0;
    return { h, logits: affine(h, p.w2!, p.b2!, rows, hidden, classes) };
  };
  const image = (images: Uint8Array, i: number) => images.subarray(i * pixels, (i + 1) * pixels);
  return {
    name: "MNIST, 784-64-10",
    loss: "cross entropy",
    steps: 400,
    shapes: { w1: [pixels, hidden], b1: [hidden], w2: [hidden, classes], b2: [classes] },
    start(p, random) {
      initialise(p.w1!, pixels / 2, random);
      initialise(p.w2!, hidden, random);
    },
    gradients(p, g, random) {
      const x = new Float32Array(batch * pixels);
      const labels = new Uint8Array(batch);
      for (let r = 0; r < batch; r++) {
        const i = Math.floor(random() * train.labels.length);
        image(train.images, i).forEach((value, k) => {
          x[r * pixels + k] = value / 255;
        });
        labels[r] = train.labels[i]!;
      }
      const { h, logits } = forward(p, x, batch);
      crossEntropy(logits, labels, classes);
      const dh = affineBackward(h, logits, { w: p.w2!, dw: g.w2!, db: g.b2! });
      for (let i = 0; i < dh.length; i++) if (h[i] === 0) dh[i] = 0;
      affineBackward(x, dh, { w: p.w1!, dw: g.w1!, db: g.b1! }, true);
    },
    evaluate(p) {
      const x = Float32Array.from(test.images.subarray(0, held * pixels), (value) => value / 255);
      return crossEntropy(forward(p, x, held).logits, test.labels.subarray(0, held), classes);
    },
  };
}

/** A linear regression whose inputs differ in scale by four orders of magnitude. */
function linear(): Task {
  const [inputs, batch, held] = [20, 16, 400];
  const fixed = seededRandom(17);
  const truth = Float32Array.from({ length: inputs }, () => normal(fixed));
  const scale = (i: number) => 10 ** (-2 + (4 * i) / (inputs - 1));
  const draw = (rows: number, random: Random) => {
    const x = Float32Array.from({ length: rows * inputs }, (_, k) => normal(random) * scale(k % inputs));
    const y = Float64Array.from({ length: rows }, (_, r) => {
      let sum = normal(random);
      for (let i = 0; i < inputs; i++) sum += (x[r * inputs + i]! / scale(i)) * truth[i]!;
      return sum;
    });
    return { x, y };
  };
  const test = draw(held, fixed);
  return {
    name: "linear, scales 1e-2 to 1e2",
    loss: "mean square",
    // The weights of the smallest inputs are up to 200, which is 20,000 steps of the default rate away.
    steps: 20_000,
    tooFew: 2000,
    shapes: { w: [inputs, 1], b: [1] },
    start() {},
    gradients(p, g, random) {
      const { x, y } = draw(batch, random);
      const predictions = affine(x, p.w!, p.b!, batch, inputs, 1);
      squaredError(predictions, y);
      affineBackward(x, predictions, { w: p.w!, dw: g.w!, db: g.b! }, true);
    },
    evaluate: (p) => squaredError(affine(test.x, p.w!, p.b!, held, inputs, 1), test.y),
  };
}

/** Two periods of a sine by a network of two hidden layers of tanh. */
function sine(): Task {
  const [hidden, batch, held] = [24, 32, 200];
  const forward = (p: Tensors, x: ArrayLike<number>, rows: number) => {
    const h1 = tanh(affine(x, p.w1!, p.b1!, rows, 1, hidden));
    const h2 = tanh(affine(h1, p.w2!, p.b2!, rows, hidden, hidden));
    return { h1, h2, y: affine(h2, p.w3!, p.b3!, rows, hidden, 1) };
  };
  const target = (x: number) => Math.sin(2 * Math.PI * x);
  return {
    name: "sine by a tanh network",
    loss: "mean square",
    steps: 2000,
    shapes: { w1: [1, hidden], b1: [hidden], w2: [hidden, hidden], b2: [hidden], w3: [hidden, 1], b3: [1] },
    start(p, random) {
      initialise(p.w1!, 0.25, random);
      initialise(p.w2!, hidden, random);
      initialise(p.w3!, hidden, random);
      initialise(p.b1!, 1, random);
    },
    gradients(p, g, random) {
      const x = Float64Array.from({ length: batch }, () => 2 * random() - 1);
      const { h1, h2, y } = forward(p, x, batch);
      squaredError(y, x.map(target));
      const d2 = tanhBackward(h2, affineBackward(h2, y, { w: p.w3!, dw: g.w3!, db: g.b3! }));
      const d1 = tanhBackward(h1, affineBackward(h1, d2, { w: p.w2!, dw: g.w2!, db: g.b2! }));
      affineBackward(x, d1, { w: p.w1!, dw: g.w1!, db: g.b1! }, true);
    },
    evaluate(p) {
      const x = Float64Array.from({ length: held }, (_, i) => (2 * (i + 0.5)) / held - 1);
      return squaredError(forward(p, x, held).y, x.map(target));
    },
  };
}

/** Ratings by the product of a user's and an item's vectors, which a batch sees few of. */
function recommender(): Task {
  const [users, items, rank, batch, held] = [120, 90, 4, 48, 1500];
  const fixed = seededRandom(23);
  const [u, v] = [users, items].map((count) =>
    Float32Array.from({ length: count * rank }, () => normal(fixed) / 2),
  ) as [Float32Array, Float32Array];
  const product = (a: Float32Array, b: Float32Array, user: number, item: number) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += a[user * rank + k]! * b[item * rank + k]!;
    return sum;
  };
  const draw = (random: Random) => {
    const [user, item] = [Math.floor(random() * users), Math.floor(random() * items)];
    return { user, item, rating: product(u, v, user, item) + normal(random) / 4 };
  };
  const test = Array.from({ length: held }, () => draw(fixed));
  return {
    name: "recommender, 120 × 90",
    loss: "mean square",
    steps: 3000,
    shapes: { users: [users, rank], items: [items, rank] },
    start(p, random) {
      initialise(p.users!, rank * 4, random);
      initialise(p.items!, rank * 4, random);
    },
    gradients(p, g, random) {
      for (let r = 0; r < batch; r++) {
        const { user, item, rating } = draw(random);
        const error = (2 * (product(p.users!, p.items!, user, item) - rating)) / batch;
        for (let k = 0; k < rank; k++) {
          g.users![user * rank + k]! += error * p.items![item * rank + k]!;
          g.items![item * rank + k]! += error * p.users![user * rank + k]!;
        }
      }
    },
    evaluate: (p) =>
      test.reduce((sum, { user, item, rating }) => {
        return sum + (product(p.users!, p.items!, user, item) - rating) ** 2;
      }, 0) / held,
  };
}

export const TASKS: readonly (() => Task)[] = [mnist, linear, sine, characters, cartPole, recommender];
