/** A run that saves after each step until it's killed, and goes on from the file where there is one. */
import { existsSync, readFileSync } from "node:fs";
import { restore, save, saveChunks, writeFileAtomic } from "../../src/checkpoint.ts";
import { RMSprop } from "../../src/index.ts";

const [path] = process.argv.slice(2) as [string];
const optimizer = new RMSprop({ w: [2 ** 19] }, { momentum: 0.9 });
if (existsSync(path)) restore(optimizer, readFileSync(path));

while (true) {
  optimizer.grads.w.fill(1);
  optimizer.step();
  // The values of one step, all through the file.
  optimizer.params.w.fill(optimizer.steps);
  await writeFileAtomic(path, optimizer.steps % 2 === 0 ? save(optimizer) : saveChunks(optimizer));
  process.stdout.write(`${optimizer.steps}\n`);
}
