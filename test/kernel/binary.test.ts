/** The binary: what it asks of its host, that it is the one which the sources give, and that it is SIMD. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile, generateModule } from "../../scripts/build-wasm.mjs";
import { declareShared } from "../../src/kernel/compile.ts";
import { argumentsOf } from "../../src/kernel/contract.ts";
import { PLANES, type Plane, type Segment } from "../../src/kernel/segment.ts";
import { wasmHex } from "../../src/kernel/wasm.generated.ts";
import { bitsOf, ordinaryPlanes, type Planes, run, scalarsFor, VARIANTS } from "../support/kernels.ts";

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const committedText = read("build/release.wat");
const binary = Buffer.from(wasmHex, "hex");

describe("the committed binary and its text", () => {
  it("are what the committed sources compile to", { timeout: 120_000 }, async () => {
    const release = await compile("release");
    const wasm = release["build/release.wasm"];
    expect(release["build/release.wat"]).toBe(committedText);
    expect(generateModule(wasm)).toBe(read("src/kernel/wasm.generated.ts"));
  });

  it("become, for shared memories, what the compiler gives for them", { timeout: 120_000 }, async () => {
    const release = await compile("release-shared");
    expect(Buffer.from(declareShared(binary))).toEqual(
      Buffer.from(release["build/release-shared.wasm"] as Uint8Array),
    );
  });

  it("import a memory and nothing else, export functions and nothing else", () => {
    const module = new WebAssembly.Module(binary);
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    const kinds = WebAssembly.Module.exports(module).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["function"]));
  });

  it("have no data, no start, no global, no table and no memory of their own", () => {
    expect(committedText).not.toMatch(/^ \((data|start|global|table|elem|memory|tag) /m);
  });

  it("are vectors: four lanes to a root and a division, and nothing newer than SIMD128", () => {
    for (const instruction of ["v128.load", "v128.store", "f32x4.sqrt", "f32x4.div"]) {
      expect(committedText).toContain(instruction);
    }
    expect(committedText).not.toMatch(/relaxed|atomic/);
    const loop = committedText.slice(0, committedText.indexOf("(func $assembly/rmsprop/update "));
    expect(loop).not.toMatch(/f32\.(sqrt|div|mul|add)/);
  });

  it("weigh at most 9 kB", () => {
    expect(binary.byteLength).toBeLessThanOrEqual(9_000);
  });
});

it("gives the same bits without the optimizer's rewrites (Binaryen's fast-math has no switch)", {
  timeout: 120_000,
}, async () => {
  const files = await compile("debug");
  const module = new WebAssembly.Module(files["build/debug.wasm"] as Uint8Array<ArrayBuffer>);
  for (const { variant } of VARIANTS) {
    const count = 257;
    const planes = ordinaryPlanes(count, variant + 1);
    for (const special of [0, -0, NaN, Infinity, -Infinity, 2 ** -149]) {
      planes.grad[Math.abs(Math.trunc(special)) % 7 || 5] = special;
      planes.grad[count - 1] = special;
      planes.param[count - 1] = -0;
      const expected = run("wasm", planes, scalarsFor(variant));
      expect(bitsOf(updateWith(module, planes, variant))).toEqual(bitsOf(expected));
    }
  }
});

/** By the list of arguments in the contract, which `run` doesn't use: the two orders must be one. */
function updateWith(module: WebAssembly.Module, planes: Planes, variant: number): Planes {
  const count = planes.param.length;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = new Float32Array(memory.buffer);
  const segment = { count } as Segment;
  PLANES.forEach((name, i) => {
    heap.set(planes[name], 256 + i * 512);
    segment[name] = 1024 + i * 2048;
  });
  const { update } = new WebAssembly.Instance(module, { env: { memory } }).exports as {
    update(...args: number[]): void;
  };
  update(...argumentsOf(segment, scalarsFor(variant)));
  const after = (name: Plane) => heap.slice(segment[name] / 4, segment[name] / 4 + count);
  return Object.fromEntries(PLANES.map((name) => [name, after(name)])) as Planes;
}
