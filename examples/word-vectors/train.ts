/**
 * Skip-grams with negative sampling (Mikolov et al., 2013): a word's vector is trained to tell the words around it from
 * words drawn at random. A batch touches a few hundred rows of two tables, and a step updates those alone.
 */
import { RMSprop } from "rmsprop-wasm";
import { type Random, seededRandom, shuffle } from "../mnist/random.ts";
import type { Corpus } from "./text.ts";

const COLUMNS = 64;
const PAIRS = 64;
const NEGATIVES = 5;
const WINDOW = 4;

export interface Trained {
  /** The mean loss of each tenth of the run. */
  readonly losses: number[];
  readonly steps: number;
  /** Seconds of all, and those of `step` among them. */
  readonly seconds: number;
  readonly stepSeconds: number;
  readonly vectors: Float32Array;
}

/** @param byRows whether a step names the rows that have a gradient, or updates all. */
export function train(corpus: Corpus, { epochs, byRows }: { epochs: number; byRows: boolean }): Trained {
  const count = corpus.words.length;
  const next = seededRandom(1);
  const optimizer = new RMSprop(
    { word: [count, COLUMNS], context: [count, COLUMNS] },
    { lr: 0.002, alpha: 0.99, eps: 1e-6, sparse: "exact" },
  );
  const { word, context } = optimizer.params;
  const { word: wordGrad, context: contextGrad } = optimizer.grads;
  for (let i = 0; i < word.length; i++) word[i] = (next() - 0.5) / COLUMNS;

  const pairs = pairsOf(corpus, epochs, next);
  const draw = negativesOf(corpus, next);
  const steps = Math.floor(pairs.length / PAIRS);
  const losses = new Array<number>(10).fill(0);
  const start = performance.now();
  let stepping = 0;
  for (let step = 0; step < steps; step++) {
    const rows = { word: new Uint32Array(PAIRS), context: new Uint32Array(PAIRS * (1 + NEGATIVES)) };
    let loss = 0;
    for (let i = 0; i < PAIRS; i++) {
      const pair = pairs[step * PAIRS + i]!;
      const named = Math.floor(pair / count);
      rows.word[i] = named;
      for (let k = 0; k <= NEGATIVES; k++) {
        const isReal = k === 0;
        const other = isReal ? pair % count : draw();
        rows.context[i * (1 + NEGATIVES) + k] = other;
        loss += learn(named * COLUMNS, other * COLUMNS, isReal);
      }
    }
    losses[Math.floor((10 * step) / steps)]! += loss / PAIRS / (steps / 10);
    const before = performance.now();
    optimizer.step(byRows ? { rows, zeroGrad: true } : { zeroGrad: true });
    stepping += performance.now() - before;
  }
  const seconds = (performance.now() - start) / 1000;
  return { losses, steps, seconds, stepSeconds: stepping / 1000, vectors: word.slice() };

  /** The loss of one pair, and its gradients, which are added to those of the batch. */
  function learn(w: number, c: number, isReal: boolean): number {
    let dot = 0;
    for (let k = 0; k < COLUMNS; k++) dot += word[w + k]! * context[c + k]!;
    const likelihood = 1 / (1 + Math.exp(isReal ? -dot : dot));
    const slope = ((isReal ? -1 : 1) * (1 - likelihood)) / PAIRS;
    for (let k = 0; k < COLUMNS; k++) {
      wordGrad[w + k]! += slope * context[c + k]!;
      contextGrad[c + k]! += slope * word[w + k]!;
    }
    return -Math.log(likelihood);
  }
}

/** The words whose vectors point in the most similar directions. */
export function nearest({ words, counts }: Corpus, vectors: Float32Array, name: string, most = 5): string[] {
  const row = words.indexOf(name);
  if (row < 0) return [];
  const vectorOf = (i: number) => vectors.subarray(i * COLUMNS, (i + 1) * COLUMNS);
  const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
  const own = vectorOf(row);
  return words
    .map((word, i) => ({
      word,
      i,
      cosine: product(own, vectorOf(i)) / Math.sqrt(product(vectorOf(i), vectorOf(i))),
    }))
    .filter(({ i }) => i !== row && counts[i]! >= 20)
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, most)
    .map(({ word }) => word);
}

/**
 * Each word with those around it, in no order: a pair is `word * count + other`. Frequent words are passed over more often
 * than rare ones.
 */
function pairsOf({ sentences, counts }: Corpus, epochs: number, next: Random): Uint32Array {
  const total = counts.reduce((a, b) => a + b, 0);
  const isKept = (word: number) => next() < Math.sqrt((0.001 * total) / counts[word]!);
  const found: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const sentence of sentences) {
      const kept = sentence.filter(isKept);
      kept.forEach((word, i) => {
        for (const other of kept.subarray(Math.max(0, i - WINDOW), i)) {
          found.push(word * counts.length + other, other * counts.length + word);
        }
      });
    }
  }
  const pairs = Uint32Array.from(found);
  shuffle(pairs, next);
  return pairs;
}

/** Draws words by the power 3/4 of their frequency. */
function negativesOf({ counts }: Corpus, next: Random): () => number {
  const weights = counts.map((count) => count ** 0.75);
  const scale = 2 ** 17 / weights.reduce((a, b) => a + b, 0);
  const urn = Uint32Array.from(
    weights.flatMap((weight, word) => new Array(Math.ceil(weight * scale)).fill(word)),
  );
  return () => urn[Math.floor(next() * urn.length)]!;
}
