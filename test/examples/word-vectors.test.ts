/** The example of word vectors, on a part of its text: steps by rows learn the vectors that dense steps do. */
import { expect, it } from "vitest";
import { readCorpus } from "../../examples/word-vectors/text.ts";
import { nearest, train } from "../../examples/word-vectors/train.ts";

it("learns the same by rows as by all rows, and prints neighbours", () => {
  const whole = readCorpus();
  const corpus = { ...whole, sentences: whole.sentences.slice(0, 500) };
  const [dense, byRows] = [false, true].map((byRows) => train(corpus, { epochs: 1, byRows }));
  expect(dense!.steps).toBeGreaterThan(50);
  expect(byRows!.losses.at(-1)).toBeLessThan(0.9 * byRows!.losses[0]!);
  for (const [i, loss] of dense!.losses.entries()) expect(byRows!.losses[i]).toBeCloseTo(loss, 4);
  const distance = dense!.vectors.reduce(
    (most, v, i) => Math.max(most, Math.abs(v - byRows!.vectors[i]!)),
    0,
  );
  expect(distance).toBeLessThan(1e-4);

  const neighbours = nearest(corpus, byRows!.vectors, "gradient");
  expect(neighbours).toHaveLength(5);
  for (const word of neighbours) expect(corpus.words).toContain(word);
  expect(nearest(corpus, byRows!.vectors, "xyzzy")).toEqual([]);
});
