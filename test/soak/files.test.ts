/** The fuzzer of files for some seconds; `npm run soak` runs it for as long as one likes. */
import { expect, it } from "vitest";
import { fuzzFiles } from "./files.ts";
import { planOf } from "./seed.ts";

it("every mutated file is read or refused, whole and in pieces alike", async () => {
  const { seed, seconds } = planOf({ gate: 20, local: 5 });
  const counts = await fuzzFiles({ seed, seconds });
  console.log(`Files from seed ${seed} on: ${JSON.stringify(counts)}`);
  expect(counts.loaded).toBeGreaterThan(0);
  expect(counts.restored).toBeGreaterThan(0);
});
