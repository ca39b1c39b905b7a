/** The tests that judge mutants, over sources in which each mutant waits to be switched on. */
import { readFileSync } from "node:fs";
import { mergeConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import base from "../../vitest.config.ts";
import { root, SOURCES } from "./places.ts";

const { projects: _, ...test } = base.test ?? {};
const sources: Readonly<Record<string, string>> = JSON.parse(readFileSync(SOURCES, "utf8"));

const tests = process.env.MUTATION_TESTS?.split(",") ?? [];
const rank = (path: string) => tests.indexOf(path.slice(root.length));

export default mergeConfig(
  { ...base, test },
  {
    plugins: [
      {
        name: "mutants",
        enforce: "pre",
        load: (id: string) => (id.startsWith(root) ? sources[id.slice(root.length)] : undefined),
      },
    ],
    test: {
      include: tests,
      runner: "test/mutation/runner.ts",
      // One process for all files of tests: each would load all sources again.
      maxWorkers: 1,
      isolate: false,
      // In the order in which they are named: those that find most, and quickly, first.
      sequence: {
        sequencer: class extends BaseSequencer {
          override async sort(files: Parameters<BaseSequencer["sort"]>[0]) {
            return [...files].sort((a, b) => rank(a.moduleId) - rank(b.moduleId));
          }
        },
      },
      // One test takes as long as all of its mutants.
      testTimeout: 3_600_000,
    },
  },
);
