/** The reader's own loop in the bench, by `--mine`: it is taken from a file, and checked before it is timed. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findError } from "../../bench/formula.ts";
import { ownLoop } from "../../bench/ways/mine.ts";
import type { Work } from "../../bench/work.ts";

const work: Work = { title: "100", variant: "plain", tensors: 1, size: 100, state: "ordinary" };
const folder = mkdtempSync(join(tmpdir(), "rmsprop-mine-"));
let files = 0;

function fileOf(code: string): string {
  const path = join(folder, `mine-${files++}.mjs`);
  writeFileSync(path, code);
  return path;
}

/** A loop whose denominator is that code, with `v` for the average. */
const loopWith = (denominator: string) =>
  `export default function (param, grad, squareAvg, { lr, alpha, eps }) {
    for (let i = 0; i < param.length; i++) {
      const v = (squareAvg[i] = alpha * squareAvg[i] + (1 - alpha) * grad[i] ** 2);
      param[i] -= (lr * grad[i]) / (${denominator});
    }
  }`;

async function errorOf(code: string): Promise<string | undefined> {
  const way = await ownLoop(fileOf(code));
  const runner = await way.prepare(work);
  await runner.reset();
  await runner.time(3);
  return findError(way.formula!, work, 3, await runner.read());
}

describe("the reader's own loop", () => {
  it("is right by PyTorch's formula", async () => {
    expect(await errorOf(loopWith("Math.sqrt(v) + eps"))).toBeUndefined();
  });

  it("is right by tf.js' formula, if it says so", async () => {
    const code = loopWith("Math.sqrt(v + eps)");
    expect(await errorOf(`export const formula = "tfjs"; ${code}`)).toBeUndefined();
  });

  it("that computes something else is named with the first wrong parameter", async () => {
    expect(await errorOf(loopWith("Math.sqrt(v) + 0.1"))).toMatch(/^parameter 0 is .* after 3 steps/);
  });

  it.each([
    ["no function", "export const step = 1;", /exports no function by default, expected/],
    [
      "an unknown formula",
      `export const formula = "adam"; ${loopWith("1")}`,
      /the formula "adam", expected "pytorch"/,
    ],
  ])("is refused with %s", async (_, code, message) => {
    await expect(ownLoop(fileOf(code))).rejects.toThrow(message);
  });

  it("goes by the file's name in the tables", async () => {
    const path = fileOf(loopWith("1"));
    expect(await ownLoop(path)).toMatchObject({
      name: "mine",
      title: expect.stringMatching(/^yours, mine-/),
    });
  });
});
