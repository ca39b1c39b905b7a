/** Importing the package does nothing, and stack traces lead to its sources. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, inject, it } from "vitest";

const { consumer } = inject("packed");

/** Runs code as a program of somebody who has installed the package. */
function run(code: string, ...flags: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, "--eval", code], {
    cwd: consumer,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  return { status, stdout, stderr };
}

const SUCCESS = { status: 0, stdout: "", stderr: "" };
/** A use of each entry, whose exports are `api`; `RMSprop` is the main entry's. */
const USES = [
  ["rmsprop-wasm", "new api.RMSprop({ w: [1] }).step()"],
  ["rmsprop-wasm/core", "api.instantiate(new WebAssembly.Memory({ initial: 1 }))"],
  ["rmsprop-wasm/js", "new api.RMSprop({ w: [1] }).step()"],
  ["rmsprop-wasm/checkpoint", "api.load(api.save(new RMSprop({ w: [1] })))"],
] as const;
const ESM = "--input-type=module";
const CJS = "--input-type=commonjs";

describe.each(USES)("importing %s", (entry, use) => {
  it("touches nothing that could do work, adds nothing, and leaves nothing running", () => {
    const code = `
      import assert from "node:assert/strict";
      const names = ["WebAssembly", "Worker", "Blob", "URL", "fetch", "Atomics", "SharedArrayBuffer", "setTimeout",
        "setInterval", "setImmediate", "queueMicrotask", "MessageChannel", "performance", "navigator", "crypto"];
      for (const name of names) {
        Object.defineProperty(globalThis, name, { get() { throw new Error("touched " + name); } });
      }
      const before = Reflect.ownKeys(globalThis);
      const api = await import("${entry}");
      assert.deepEqual(Reflect.ownKeys(globalThis), before);
      assert.doesNotMatch(process.getActiveResourcesInfo().join(), /Timeout|Immediate|Worker|Port/);
      // Using it does.
      const { RMSprop } = await import("rmsprop-wasm");
      assert.throws(() => ${use}, /touched WebAssembly/);`;
    expect(run(code, ESM, "--frozen-intrinsics", "--no-warnings")).toEqual(SUCCESS);
  });

  it("works with require too, and warns of nothing", () => {
    const code = `
      const api = require("${entry}");
      const { RMSprop } = require("rmsprop-wasm");
      ${use};`;
    expect(run(code, CJS)).toEqual(SUCCESS);
  });
});

it.each(["rmsprop-wasm", "rmsprop-wasm/f64", "rmsprop-wasm/js"])(
  "gives classes of %s the names that consoles show",
  (entry) => {
    const code = `
    const { RMSprop } = await import("${entry}");
    console.log(RMSprop.name, Object.getPrototypeOf(RMSprop).name);`;
    expect(run(code, ESM)).toEqual({ ...SUCCESS, stdout: "RMSprop Optimizer\n" });
  },
);

it("maps the stack of an error to the line of the source that threw it", () => {
  const { stderr } = run(
    'import { RMSprop } from "rmsprop-wasm"; new RMSprop({ w: [1] }, { lr: -1 });',
    ESM,
    "--enable-source-maps",
  );
  const [, path, line, column] = stderr.match(/ at check \((.*):(\d+):(\d+)\)/) ?? [];
  expect(path).toMatch(/[\\/]src[\\/]base[\\/]rules\.ts$/);
  const source = readFileSync(new URL("../../src/base/rules.ts", import.meta.url), "utf8").split("\n");
  expect(source[Number(line) - 1]!.slice(Number(column) - 1)).toMatch(/^new OptionError\(/);
});
