/** A network of dense layers learns MNIST in tf.js: with its own RMSprop and with rmsprop-wasm's, epoch by epoch in turn. */
import * as tf from "@tensorflow/tfjs-core";
import { layers, type Sequential, sequential } from "@tensorflow/tfjs-layers";
import { rmsprop } from "rmsprop-wasm/tfjs";
import type { DataSet } from "../mnist/digits.ts";

const EPOCHS = 3;
const CLASSES = 10;

/** The line that changes. */
const optimizers = {
  "tf.train.rmsprop": () => tf.train.rmsprop(1e-3),
  "rmsprop-wasm/tfjs": () => rmsprop({ lr: 1e-3 }),
};

/** Trains from the same weights with both, and gives the report to `say`, line by line. */
export async function train(
  data: { train: DataSet; test: DataSet },
  say: (line: string) => void,
): Promise<void> {
  const [x, y] = tensorsOf(data.train);
  const [testX, testY] = tensorsOf(data.test);
  const runs = Object.entries(optimizers).map(([name, make]) => {
    const optimizer = make();
    return { name, model: makeModel(optimizer), stopwatch: new Stopwatch(optimizer), best: Infinity };
  });
  runs[1]!.model.setWeights(runs[0]!.model.getWeights());

  say(`${data.train.labels.length} images, ${tf.getBackend()} backend`);
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    for (const run of runs) {
      const { name, model, stopwatch } = run;
      stopwatch.milliseconds = 0;
      const start = performance.now();
      await model.fit(x, y, { epochs: 1, shuffle: false, verbose: 0 });
      const seconds = (performance.now() - start) / 1000;
      run.best = Math.min(run.best, seconds);
      const updates = `${stopwatch.milliseconds.toFixed(0)} ms of it updates`;
      const [, accuracy] = model.evaluate(testX, testY) as tf.Scalar[];
      const percent = `${(100 * accuracy!.dataSync()[0]!).toFixed(2)} %`;
      say(`epoch ${epoch}   ${name}   ${seconds.toFixed(2)} s, ${updates}   test accuracy ${percent}`);
    }
  }
  const [before, after] = runs.map(({ best }) => best) as [number, number];
  const ratio = (before / after).toFixed(2);
  say(
    `the fastest epoch: ${before.toFixed(2)} s before, ${after.toFixed(2)} s after, ${ratio} times as fast`,
  );
}

/** The optimizer's time of an epoch: tf.js's wasm backend computes at once, nothing later. */
class Stopwatch {
  milliseconds = 0;

  constructor(optimizer: tf.Optimizer) {
    const applyGradients = optimizer.applyGradients.bind(optimizer);
    optimizer.applyGradients = (gradients) => {
      const start = performance.now();
      applyGradients(gradients);
      this.milliseconds += performance.now() - start;
    };
  }
}

function makeModel(optimizer: tf.Optimizer): Sequential {
  const model = sequential({
    layers: [
      layers.dense({ units: 128, activation: "relu", inputShape: [784] }),
      layers.dense({ units: CLASSES, activation: "softmax" }),
    ],
  });
  model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  return model;
}

function tensorsOf({ images, labels }: DataSet): [tf.Tensor2D, tf.Tensor] {
  const pixels = Float32Array.from(images, (value) => value / 255);
  return [
    tf.tensor2d(pixels, [labels.length, images.length / labels.length]),
    tf.oneHot(tf.tensor1d(labels, "int32"), CLASSES),
  ];
}
