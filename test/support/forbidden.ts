import { vi } from "vitest";

/** Exchanges some of the properties of `WebAssembly`, until globals are unstubbed. */
export function stubWebAssembly(changes: object): void {
  const entries = Object.getOwnPropertyNames(WebAssembly).map((name) => [
    name,
    Reflect.get(WebAssembly, name),
  ]);
  vi.stubGlobal("WebAssembly", { ...Object.fromEntries(entries), ...changes });
}

/**
 * Refuses WebAssembly as a Content-Security-Policy without 'wasm-unsafe-eval' does, when a module is compiled, and
 * forgets what was compiled before: import the library after this. Gives the function that refused.
 */
export function forbidWebAssembly() {
  const compile = vi.fn(function compile() {
    throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
  });
  vi.resetModules();
  stubWebAssembly({ Module: compile });
  return compile;
}
