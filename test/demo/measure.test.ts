/** The page's measurement: its rows, made of records by the bench's own code. */
import { describe, expect, it } from "vitest";
import { recordsOf } from "../../bench/result.ts";
import type { Way } from "../../bench/way.ts";
import type { Measured } from "../../demo/measure/messages.ts";
import { resultText, rowsOf } from "../../demo/measure/table.ts";

const wayOf = (name: string) => ({ name, title: `way ${name}` }) as Way;
const work = (size: number) =>
  ({ title: `${size}`, variant: "plain", tensors: 1, size, state: "ordinary" }) as const;

/** Rounds in ns per element. */
function measured(size: number, times: Record<string, number[]>): Measured {
  const one = work(size);
  const timed = Object.entries(times).map(([name, rounds]) => ({
    way: wayOf(name),
    work: one,
    rounds: rounds.map((ns) => ns * size),
  }));
  return {
    records: recordsOf("sizes", timed),
    checks: Object.fromEntries(
      Object.keys(times).map((name) => [name, name === "step" ? "bits" : "formula"]),
    ),
  };
}

const own = [
  measured(100, { step: [1, 2, 1], plain: [4, 10, 5] }),
  measured(400, { step: [2, 2, 2], plain: [4, 4, 4] }),
];

describe("the rows", () => {
  it("are medians by size, with throughput at 20 bytes an element and ratios taken within a round", () => {
    const [small, large] = rowsOf(own);
    expect([small!.title, large!.title]).toEqual(["100", "400"]);
    expect(small!.rows).toEqual([
      {
        way: "step",
        title: "way step",
        nsPerElement: 1,
        gbPerSecond: 20,
        timesOfStep: 1,
        share: 1,
        check: "bits",
      },
      {
        way: "plain",
        title: "way plain",
        nsPerElement: 5,
        gbPerSecond: 4,
        timesOfStep: 5,
        share: 0.2,
        check: "formula",
      },
    ]);
    expect(large!.rows.map(({ share }) => share)).toEqual([0.5, 0.25]);
  });

  it("take what is measured later to the same sizes, beside the step() of its own run", () => {
    const later = measured(100, { step: [3, 3, 3], "tfjs-wasm": [30, 30, 30] });
    const [{ rows }] = rowsOf([...own, later]) as [ReturnType<typeof rowsOf>[number]];
    expect(rows.map(({ way }) => way)).toEqual(["step", "plain", "tfjs-wasm"]);
    expect(rows[0]!.nsPerElement).toBe(1);
    expect(rows[2]!.timesOfStep).toBe(10);
  });

  it("are nothing before anything is measured", () => {
    expect(rowsOf([])).toEqual([]);
  });
});

describe("the text to copy", () => {
  it("is JSON, with the machine and all records", () => {
    const { machine, records, date } = JSON.parse(resultText(own, { processors: 2 }));
    expect(machine).toEqual({ processors: 2 });
    expect(records).toEqual(own.flatMap((one) => one.records));
    expect(Date.parse(date)).toBeGreaterThan(0);
  });
});
