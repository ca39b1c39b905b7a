/** The time of starting Node alone: the twin of first-step.mjs. */
import { writeSync } from "node:fs";

const start = performance.now();
writeSync(1, String(performance.now() - start));
