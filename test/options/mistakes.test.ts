/** Every mistake of the list gets an error of this package that says what to do; `mistakes.md` has them all. */
import { RMSprop, RMSpropError } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { describeWith } from "../support/required.ts";
import { tfjs } from "../tfjs/installed.ts";

// The list has the drop-in, which wants tf.js.
describeWith(tfjs, "mistakes", async () => {
  const { MISTAKES } = tfjs.isThere ? await import("./mistakes.ts") : { MISTAKES: [] };
  const messages: { mistake: string; caught: unknown }[] = [];
  for (const [mistake, program] of MISTAKES) {
    let caught: unknown;
    try {
      await program(new RMSprop({ w: [2] }));
    } catch (error) {
      caught = error;
    }
    messages.push({ mistake, caught });
  }

  describe("each", () => {
    it.each(messages)("$mistake gets an error of its own, under 1 kB", ({ caught }) => {
      expect(caught).toBeInstanceOf(RMSpropError);
      const { message } = caught as Error;
      expect(Buffer.byteLength(message)).toBeLessThan(1000);
      // None of the engine's own words about this package's internals.
      expect(message).not.toMatch(/private|Receiver|undefined \(reading|is not a function|is not iterable/);
    });
  });

  it("are thirty at least, and get the messages that the page shows", async () => {
    expect(messages.length).toBeGreaterThanOrEqual(30);
    const entries = messages.map(({ mistake, caught }) => `\`${mistake}\`\n\n> ${caught}\n`);
    await expect(`# Mistakes, and what each gets\n\n${entries.join("\n")}`).toMatchFileSnapshot(
      "mistakes.md",
    );
  });
});
