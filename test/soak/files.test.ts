/** The fuzzer of files for some seconds, each time with other seeds; `npm run soak` runs it for as long as one likes. */
import { expect, it } from "vitest";
import { fuzzFiles } from "./files.ts";

it("every mutated file is read or refused, whole and in pieces alike", async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
  const counts = await fuzzFiles({ seed, seconds: 20 });
  console.log(`Files from seed ${seed} on: ${JSON.stringify(counts)}`);
  expect(counts.loaded).toBeGreaterThan(0);
  expect(counts.restored).toBeGreaterThan(0);
});
