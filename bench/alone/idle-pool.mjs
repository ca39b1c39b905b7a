/** Prints how many milliseconds of processor time a pool of two takes in ten idle seconds, less what Node takes alone. Needs --expose-gc. */
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { RMSprop } from "rmsprop-wasm";

async function idle() {
  // Otherwise the engine collects garbage meanwhile, for 20 ms, as it does in any program that has come to rest.
  globalThis.gc?.();
  await setTimeout(500);
  const before = process.cpuUsage();
  await setTimeout(10_000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

if (!globalThis.gc) throw new Error("Run this with --expose-gc.");
const alone = await idle();
const optimizer = new RMSprop({ w: [2 ** 20] }, { threads: 2 });
await optimizer.ready;
for (let i = 0; i < 100; i++) optimizer.step();
writeSync(1, String((await idle()) - alone));
