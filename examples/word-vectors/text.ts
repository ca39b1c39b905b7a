/** The words of this repository: of its pages and of the comments in its code. */
import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);

/** A text as numbers of words: a sentence each, and the words by their numbers. */
export interface Corpus {
  readonly sentences: readonly Uint32Array[];
  readonly words: readonly string[];
  /** How often each word stands in the text. */
  readonly counts: readonly number[];
}

export function readCorpus(): Corpus {
  const numbers = new Map<string, number>();
  const counts: number[] = [];
  const sentences = [...texts()].flatMap((text) =>
    text.split(/[.:;?!|]\s/).map((sentence) => {
      const words = sentence.toLowerCase().match(/[a-z]+(?:['-][a-z]+)*/g) ?? [];
      return Uint32Array.from(words, (word) => {
        const number = numbers.get(word) ?? numbers.size;
        numbers.set(word, number);
        counts[number] = (counts[number] ?? 0) + 1;
        return number;
      });
    }),
  );
  return { sentences: sentences.filter(({ length }) => length > 1), words: [...numbers.keys()], counts };
}

function* texts(): Generator<string> {
  for (const name of ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", ...under("docs", ".md")]) {
    yield read(name).replace(/```.*?```/gs, " ");
  }
  for (const folder of ["assembly", "src", "test", "bench", "demo"]) {
    for (const name of under(folder, ".ts")) {
      for (const [comment] of read(name).matchAll(/\/\*\*.*?\*\/|\/\/ [^\n]*/gs)) {
        yield comment.replace(/^[\s/*]+/gm, " ");
      }
    }
  }
}

/** The files of a folder, in one order everywhere. */
function under(folder: string, extension: string): string[] {
  const names = readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(extension) && !/node_modules|generated/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}

const read = (name: string): string => readFileSync(new URL(name, root), "utf8");
