/** The fuzzer of the API for a minute where everything is tested, else for some seconds. */
import { expect, it } from "vitest";
import { fuzzApi } from "./api.ts";
import { planOf } from "./seed.ts";

const { seed, seconds } = planOf({ gate: 60, local: 10 });

it(
  `every call does what its model does, on both backends, for ${seconds} s`,
  async () => {
    const { sessions, commands } = await fuzzApi({ seed, seconds });
    console.log(`Sessions from seed ${seed} on: ${sessions}, ${JSON.stringify(commands)}`);
    expect(sessions).toBeGreaterThan(0);
  },
  10 * 60_000,
);
