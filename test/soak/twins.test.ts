/** The fuzzer of twins for a minute where everything is tested, else for some seconds. */
import { expect, it } from "vitest";
import { planOf } from "./seed.ts";
import { fuzzTwins } from "./twins.ts";

const { seed, seconds } = planOf({ gate: 60, local: 10 });

it(
  `rows, averages and learned rates are the same in every way of getting there, for ${seconds} s`,
  async () => {
    const counts = await fuzzTwins({ seed, seconds });
    console.log(`Twins from seed ${seed} on: ${JSON.stringify(counts)}`);
    expect(counts.twinSessions).toBeGreaterThan(0);
  },
  10 * 60_000,
);
