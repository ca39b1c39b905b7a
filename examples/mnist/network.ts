/**
 * A network of one hidden layer, forwards and backwards, one image at a time:
 *
 *     x = pixels / 255    h = max(0, x·w1 + b1)    p = softmax(h·w2 + b2)    loss = −log p[label]
 *
 * Sums run in a fixed order and in double precision, and nothing that reaches a weight depends on the engine:
 * that is why softmax has an `exp` of its own. Weights lie row by row, [inputs, outputs], so that the inner loops
 * are contiguous and a zero input (four pixels in five) skips its whole row.
 */
import type { DataSet } from "./digits.ts";
import { exp } from "./math.ts";
import type { Random } from "./random.ts";

/** Float32Array in training; the test of the gradients runs on Float64Array. */
type Tensor = Float32Array | Float64Array;

/** The parameters, or their gradients. */
export type Tensors = Record<"w1" | "b1" | "w2" | "b2", Tensor>;

export function shapes(inputs: number, hidden: number, classes: number) {
  return { w1: [inputs, hidden], b1: [hidden], w2: [hidden, classes], b2: [classes] };
}

/** Kaiming He's initialisation, in its uniform form: the variance of a weight is 2 / inputs. */
export function initialise({ w1, b1, w2, b2 }: Tensors, random: Random): void {
  const fill = (weights: Tensor, inputs: number) => {
    const bound = Math.sqrt(6 / inputs);
    for (let i = 0; i < weights.length; i++) weights[i] = (2 * random() - 1) * bound;
  };
  fill(w1, w1.length / b1.length);
  fill(w2, w2.length / b2.length);
  b1.fill(0);
  b2.fill(0);
}

/** Adds to `grads` the gradient of the mean loss over the batch's images; returns that loss, for display. */
export function accumulateGradients(
  params: Tensors,
  grads: Tensors,
  data: DataSet,
  batch: Uint32Array,
): number {
  const activations = allocateActivations(params);
  let loss = 0;
  for (const index of batch) {
    const image = imageAt(data, index);
    const label = data.labels[index]!;
    forward(params, image, activations);
    loss -= Math.log(Math.max(activations.probabilities[label]!, Number.MIN_VALUE));
    backward(params, grads, image, label, 1 / batch.length, activations);
  }
  return loss / batch.length;
}

/** The share of images whose most probable class is their label. */
export function accuracy(params: Tensors, data: DataSet): number {
  const activations = allocateActivations(params);
  let correct = 0;
  for (let index = 0; index < data.labels.length; index++) {
    forward(params, imageAt(data, index), activations);
    const { probabilities } = activations;
    if (probabilities.indexOf(Math.max(...probabilities)) === data.labels[index]) correct++;
  }
  return correct / data.labels.length;
}

/** The probability of each class for one image, from 0 to 1. */
export function classify(params: Tensors, image: Uint8Array): Float64Array {
  const activations = allocateActivations(params);
  forward(params, image, activations);
  return activations.probabilities;
}

/** Values of the forward pass that the backward pass needs, and room for its own. */
interface Activations {
  hidden: Float64Array;
  probabilities: Float64Array;
  hiddenGrad: Float64Array;
}

function allocateActivations({ b1, b2 }: Tensors): Activations {
  return {
    hidden: new Float64Array(b1.length),
    probabilities: new Float64Array(b2.length),
    hiddenGrad: new Float64Array(b1.length),
  };
}

function imageAt({ images, labels }: DataSet, index: number): Uint8Array {
  const pixels = images.length / labels.length;
  return images.subarray(index * pixels, (index + 1) * pixels);
}

function forward(
  { w1, b1, w2, b2 }: Tensors,
  image: Uint8Array,
  { hidden, probabilities }: Activations,
): void {
  hidden.set(b1);
  for (let i = 0; i < image.length; i++) {
    if (image[i] !== 0) addScaledRow(hidden, w1, i * hidden.length, image[i]! / 255);
  }
  probabilities.set(b2);
  for (let j = 0; j < hidden.length; j++) {
    if (hidden[j]! > 0) addScaledRow(probabilities, w2, j * probabilities.length, hidden[j]!);
    else hidden[j] = 0;
  }
  softmax(probabilities);
}

function backward(
  { w2 }: Tensors,
  grads: Tensors,
  image: Uint8Array,
  label: number,
  weight: number,
  { hidden, probabilities, hiddenGrad }: Activations,
): void {
  // Read once: an optimizer looks each view up by name.
  const { w1: w1Grad, b1: b1Grad, w2: w2Grad, b2: b2Grad } = grads;

  // The gradient of the loss by the logits is p − 1 at the label and p elsewhere.
  const logitGrad = probabilities;
  logitGrad[label]! -= 1;
  for (let k = 0; k < logitGrad.length; k++) logitGrad[k]! *= weight;

  addToRow(b2Grad, 0, logitGrad, 1);
  for (let j = 0; j < hidden.length; j++) {
    hiddenGrad[j] = 0;
    if (hidden[j] === 0) continue; // ReLU passes nothing back
    const row = j * logitGrad.length;
    addToRow(w2Grad, row, logitGrad, hidden[j]!);
    for (let k = 0; k < logitGrad.length; k++) hiddenGrad[j]! += w2[row + k]! * logitGrad[k]!;
  }

  addToRow(b1Grad, 0, hiddenGrad, 1);
  for (let i = 0; i < image.length; i++) {
    if (image[i] !== 0) addToRow(w1Grad, i * hidden.length, hiddenGrad, image[i]! / 255);
  }
}

// Nearly all the time goes into the next two loops. They go by fours because that takes half as long.

/** sums += scale · (the row of `matrix` that starts at `row`) */
function addScaledRow(sums: Float64Array, matrix: Tensor, row: number, scale: number): void {
  const { length } = sums;
  let j = 0;
  for (; j + 3 < length; j += 4) {
    sums[j]! += scale * matrix[row + j]!;
    sums[j + 1]! += scale * matrix[row + j + 1]!;
    sums[j + 2]! += scale * matrix[row + j + 2]!;
    sums[j + 3]! += scale * matrix[row + j + 3]!;
  }
  for (; j < length; j++) sums[j]! += scale * matrix[row + j]!;
}

/** (the row of `matrix` that starts at `row`) += scale · values */
function addToRow(matrix: Tensor, row: number, values: Float64Array, scale: number): void {
  const { length } = values;
  let j = 0;
  for (; j + 3 < length; j += 4) {
    matrix[row + j]! += scale * values[j]!;
    matrix[row + j + 1]! += scale * values[j + 1]!;
    matrix[row + j + 2]! += scale * values[j + 2]!;
    matrix[row + j + 3]! += scale * values[j + 3]!;
  }
  for (; j < length; j++) matrix[row + j]! += scale * values[j]!;
}

function softmax(values: Float64Array): void {
  const largest = Math.max(...values);
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    values[k] = exp(values[k]! - largest); // never above exp(0), so it cannot overflow
    sum += values[k]!;
  }
  for (let k = 0; k < values.length; k++) values[k]! /= sum;
}
