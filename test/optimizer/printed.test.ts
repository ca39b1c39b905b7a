/** The text of an optimizer in consoles, logs, JSON and test frameworks. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { inspect } from "node:util";
import { build } from "esbuild";
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { BUNDLE } from "../../tools/bundle.mjs";
import { ENTRIES } from "../support/entries.ts";

describe.each(ENTRIES)("$entry", ({ make }) => {
  it("shows names, shapes, steps, backend and hyperparameters as text", () => {
    const optimizer = make(
      [{ params: { w: [784, 128], b: new Float32Array(128) } }, { params: { v: [[1, 2]] }, momentum: 0.9 }],
      { lr: (step) => 1 / (1 + step) },
    );
    optimizer.step();
    const text = `RMSprop (${optimizer.backend}, 1 steps)
  lr a function, alpha 0.99, eps 1e-8
    "w": [784, 128]
    "b": [128]
  lr a function, alpha 0.99, eps 1e-8, momentum 0.9
    "v": [1, 2]`;
    expect(String(optimizer)).toBe(text);
    expect(inspect(optimizer)).toBe(text);
    expect(inspect(optimizer.params)).toContain("v: Float32Array(2) [ 1, 2 ]");
    optimizer.dispose();
    expect(inspect(optimizer)).toBe("RMSprop (disposed of)");
  });

  it("shows the first of many tensors", () => {
    const names = Array.from({ length: 500 }, (_, i) => [`layer${i}`, [i + 1]] as const);
    const lines = String(make(Object.fromEntries(names))).split("\n");
    expect(lines).toHaveLength(23);
    expect(lines.slice(-2)).toEqual(['    "layer19": [20]', "    … 500 tensors in all"]);
  });

  it("refuses to become JSON, and its state and records too", () => {
    const optimizer = make({ w: [2] });
    for (const lossy of [optimizer, optimizer.params, optimizer.stateDict(), { ...optimizer.stateDict() }]) {
      expect(() => JSON.stringify(lossy)).toThrow(CheckpointError);
      expect(() => JSON.stringify(lossy)).toThrow(/save from rmsprop-wasm\/checkpoint/);
    }
    const copy = structuredClone(optimizer.stateDict());
    expect(copy).toEqual(optimizer.stateDict());
    expect(JSON.parse(JSON.stringify({ ...optimizer.groups[0] })).lr).toBe(0.01);
  });
});

const runtimes = ["@deno/linux-x64-glibc/deno", "@oven/bun-linux-x64/bin/bun"]
  .map((path) => new URL(`../../compat/node_modules/${path}`, import.meta.url).pathname)
  .filter(existsSync);

it.each(runtimes)("is printed by %s as by Node", async (runtime) => {
  const contents = `import { RMSprop } from "./index.ts"; const o = new RMSprop({ w: [2, 3] }); console.log(o); console.log(o.params);`;
  const stdin = { contents, resolveDir: "src" };
  const external = [...BUNDLE.external, "*/threads.ts"];
  const { outputFiles } = await build({ ...BUNDLE, stdin, external, write: false });
  const args = runtime.endsWith("deno") ? ["run", "--quiet", "-"] : ["run", "-"];
  const printed = execFileSync(runtime, args, { input: outputFiles[0]!.text, encoding: "utf8" });
  expect(printed).toContain('RMSprop (wasm, 0 steps)\n  lr 0.01, alpha 0.99, eps 1e-8\n    "w": [2, 3]');
  expect(printed).toMatch(/w: Float32Array/);
});

// Their printers call `toJSON`, without the key that JSON.stringify gives: an error would hide the difference they report.
it("lets test frameworks print it, its state and records", () => {
  const optimizer = new RMSprop({ w: new Float32Array([1]) });
  expect(optimizer).toMatchInlineSnapshot(`
    "RMSprop (wasm, 0 steps)
      lr 0.01, alpha 0.99, eps 1e-8
        "w": [1]"
  `);
  expect([optimizer.params, optimizer.stateDict().tensors]).toMatchInlineSnapshot(`
    [
      {
        "w": Float32Array [
          1,
        ],
      },
      {
        "w": {
          "param": Float32Array [
            1,
          ],
          "shape": [
            1,
          ],
          "squareAvg": Float32Array [
            0,
          ],
        },
      },
    ]
  `);
});
