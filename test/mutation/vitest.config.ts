/** The tests that judge mutants: the quick ones of the wings that are mutated. Browsers, packing and examples stay out. */
import { mergeConfig } from "vitest/config";
import base from "../../vitest.config.ts";

const { projects: _, ...test } = base.test ?? {};

export default mergeConfig(
  { ...base, test },
  {
    test: {
      include: ["test/{kernel,options,optimizer,memory,checkpoint,threads}/**/*.test.ts"],
      // A compiler at work, and programs of their own: neither sees a mutant.
      exclude: ["**/node_modules/**", "test/kernel/binary.test.ts", "test/memory/foreign-modules.test.ts"],
      testTimeout: 120_000,
    },
  },
);
