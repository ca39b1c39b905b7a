/** The fuzzer of the API for a minute where everything is tested, else for some seconds, each time with another seed. */
import { expect, it } from "vitest";
import { mustHaveAll } from "../../tools/must-have-all.ts";
import { fuzzApi } from "./api.ts";

const seconds = mustHaveAll ? 60 : 10;

it(
  `every call does what its model does, on both backends, for ${seconds} s`,
  async () => {
    const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff);
    const { sessions, commands } = await fuzzApi({ seed, seconds });
    console.log(`Sessions from seed ${seed} on: ${sessions}, ${JSON.stringify(commands)}`);
    expect(sessions).toBeGreaterThan(0);
  },
  10 * 60_000,
);
