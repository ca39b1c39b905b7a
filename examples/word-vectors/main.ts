/**
 * Learns vectors of the words in this repository's pages and comments, by steps that update all rows and by steps that
 * update those of the batch: the same losses, in less time. Then it prints words whose vectors are near each other.
 *
 *     npm run example:word-vectors
 *     npm run example:word-vectors -- --epochs 10 --words gradient,memory,tensor
 */
import { parseArgs } from "node:util";
import { readCorpus } from "./text.ts";
import { nearest, train } from "./train.ts";

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "3" },
    words: { type: "string", default: "gradient,memory,python,float,thread,faster" },
  },
});
const corpus = readCorpus();
const tokens = corpus.sentences.reduce((sum, { length }) => sum + length, 0);
console.log(
  `${tokens.toLocaleString("en")} words of text, ${corpus.words.length.toLocaleString("en")} of them different`,
);

const epochs = Number(values.epochs);
const dense = train(corpus, { epochs, byRows: false });
const byRows = train(corpus, { epochs, byRows: true });
console.log(
  `\n${dense.steps.toLocaleString("en")} steps      ${"all rows".padStart(10)} ${"by rows".padStart(10)}`,
);
dense.losses.forEach((loss, i) => {
  const [a, b] = [loss, byRows.losses[i]!].map((value) => value.toFixed(4).padStart(10));
  console.log(`loss, ${String(10 * (i + 1)).padStart(3)} %   ${a} ${b}`);
});
for (const [title, name] of [
  ["seconds in step()", "stepSeconds"],
  ["seconds in all", "seconds"],
] as const) {
  const [a, b] = [dense[name], byRows[name]].map((value) => value.toFixed(2).padStart(8));
  console.log(
    `${title.padEnd(18)}${a} ${b!.padStart(10)}   ${(dense[name] / byRows[name]).toFixed(1)} times as fast`,
  );
}
console.log();
for (const word of values.words.split(",")) {
  console.log(`${word.padEnd(12)} ${nearest(corpus, byRows.vectors, word).join(", ") || "not in the text"}`);
}
