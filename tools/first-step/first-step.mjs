/** Imports the package and takes a first step; prints the milliseconds that both took inside the process. */
import { writeSync } from "node:fs";

const start = performance.now();
const { RMSprop } = await import("rmsprop-wasm");
const optimizer = new RMSprop({ w: [3, 4], b: [4] });
optimizer.grads.w.fill(1);
optimizer.step();
writeSync(1, String(performance.now() - start));
