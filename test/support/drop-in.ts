/** The set-up that tests of the drop-in for tf.js share. */
import { afterEach, beforeEach, describe, expect } from "vitest";
import { BACKENDS, type DropIn, loadTfjs, type Tf, tfjs } from "../tfjs/installed.ts";
import { describeWith } from "./required.ts";

/** Tests beside tf.js, which is loaded once for the file. */
export function describeDropIn(tests: (loaded: { tf: Tf; dropIn: DropIn }) => void): void {
  describeWith(tfjs, "the drop-in for tf.js", async () => tests(await loadTfjs()));
}

/** Tests on each kind of backend, which is set before each of them. */
export function onEachBackend(tf: Tf, tests: (backend: (typeof BACKENDS)[number]) => void): void {
  describe.each(BACKENDS)("on backend %s", (backend) => {
    beforeEach(async () => {
      await tf.setBackend(backend);
    });
    tests(backend);
  });
}

/** Has each test dispose of what it makes, and so the drop-in. */
export function expectNothingLeft(tf: Tf): void {
  let before = 0;
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });
}
