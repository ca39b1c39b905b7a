/**
 * Tests beside something that the package's own tests do without, such as tf.js, which `npm ci` doesn't install.
 * Without it they are skipped and say so, unless everything must be there.
 */
import { describe, it } from "vitest";
import { mustHaveAll } from "../../tools/must-have-all.ts";

export function describeWith(
  { name, isThere, install }: { name: string; isThere: boolean; install: string },
  title: string,
  tests: () => void,
): void {
  if (isThere) {
    describe(title, tests);
    return;
  }
  const missing = `${name} isn't installed. To install it: ${install}`;
  if (mustHaveAll) {
    it(title, () => {
      throw new Error(missing);
    });
    return;
  }
  console.warn(`Skipped "${title}": ${missing}`);
  // Without the tests in it: `describe.skip` runs the code that lists them, which may load the missing thing.
  it.skip(`${title} (${missing})`, () => {});
}
