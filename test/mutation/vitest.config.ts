/** The tests that judge mutants: those that `suites.ts` names for the file, in the variable MUTATION_TESTS. */
import { mergeConfig } from "vitest/config";
import base from "../../vitest.config.ts";

const { projects: _, ...test } = base.test ?? {};

export default mergeConfig(
  { ...base, test },
  {
    test: {
      include: process.env.MUTATION_TESTS?.split(",") ?? [],
      testTimeout: 120_000,
    },
  },
);
