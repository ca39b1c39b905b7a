/** Writes texts to one file, each in the other's place. */
import { writeFileAtomic } from "../../src/checkpoint.ts";

const [path, ...texts] = process.argv.slice(2) as [string, ...string[]];
for (const text of texts) await writeFileAtomic(path, text);
