/** Pages and engines that refuse WebAssembly, as a CSP without 'wasm-unsafe-eval' does when a module is compiled. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { forbidWebAssembly } from "../support/forbidden.ts";

beforeEach(() => {
  forbidWebAssembly();
});

afterEach(() => vi.unstubAllGlobals());

it("get the JavaScript backend, and can see that they did", async () => {
  const { RMSprop } = await import("rmsprop-wasm");
  const optimizer = new RMSprop({ w: Float32Array.of(1) }, { lr: 0.5, alpha: 0, eps: 1 });
  expect(optimizer.backend).toBe("js");
  optimizer.grads.w[0] = 1;
  optimizer.step();
  expect(optimizer.params.w[0]).toBe(0.75);
});

it("get an error with the engine's words when they insist on WebAssembly", async () => {
  const { RMSprop, BackendError } = await import("rmsprop-wasm");
  const insist = () => new RMSprop({ w: [1] }, { backend: "wasm" });
  expect(insist).toThrow(BackendError);
  expect(insist).toThrow(expect.objectContaining({ cause: expect.any(WebAssembly.CompileError) }));
  expect(insist).toThrow(/disallowed by embedder.*Leave out `backend`/);
});

it("get an error from the raw layer, which has no other backend", async () => {
  const { instantiate } = await import("rmsprop-wasm/core");
  expect(() => instantiate(new WebAssembly.Memory({ initial: 1 }))).toThrow(/disallowed by embedder/);
});
