/** The parts of the matrix in `compat/` that need no other runtime: its digest on this one, and the table in docs/. */
import { readFileSync } from "node:fs";
import { type Options, RMSprop } from "rmsprop-wasm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DIGEST, DIGEST_OF_FLOAT64 } from "../../compat/digest.ts";
import { run } from "../../compat/program.js";
import { savedResult } from "../../compat/result.ts";
import { supportPage, withSupportTable } from "../../compat/support-table.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe("a thousand steps over all variants end in the digest", () => {
  it.each([
    [{ backend: "wasm" }, { backend: "wasm", threads: 1 }],
    [{ backend: "js" }, { backend: "js", threads: 1 }],
    [{ threads: 2 }, { backend: "wasm", threads: 2 }],
  ] satisfies [Options, object][])("with %o", async (options, expected) => {
    expect(await run(await import("rmsprop-wasm"), options)).toEqual({ ...expected, digest: DIGEST });
    const doubles = await run((await import("rmsprop-wasm/f64")) as never, options);
    expect(doubles).toEqual({ ...expected, digest: DIGEST_OF_FLOAT64 });
  });

  it("in rmsprop-wasm/js", async () => {
    const report = await run(await import("rmsprop-wasm/js"));
    expect(report).toEqual({ backend: "js", threads: 1, digest: DIGEST });
  });

  it("in an engine that has no WebAssembly", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    const report = await run(await import("rmsprop-wasm"), { threads: 2 });
    expect(report).toEqual({ backend: "js", threads: 1, digest: DIGEST });
  });
});

it("an engine that has no WebAssembly empties views when its memory grows, as WebAssembly does", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  const optimizer = new RMSprop({ w: [20_000] });
  const { w } = optimizer.grads;
  optimizer.groups[0].momentum = 0.9;
  expect(w.length).toBe(0);
  expect(() => optimizer.step()).toThrow(/memory grew/);
  expect(optimizer.grads.w.length).toBe(20_000);
});

it("a page shows the support table of the matrix's last result", () => {
  const page = readFileSync(supportPage, "utf8");
  expect(withSupportTable(page, savedResult())).toBe(page);
});
