/** The binary: what it asks of its host, that it is the one which the sources give, and that it is SIMD. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { compile, compileDense, generateModule } from "../../scripts/build-wasm.mjs";
import { FLOAT32, FLOAT64, type FloatArray, type Real } from "../../src/base/real.ts";
import { declareShared } from "../../src/kernel/compile.ts";
import { AVERAGED, argumentsOf, LEARNED, type Scalars, ZEROED } from "../../src/kernel/contract.ts";
import { PLANES, type Plane, type Segment } from "../../src/kernel/segment.ts";
import { wasmHex as hexOfFloat32 } from "../../src/kernel/wasm.generated.ts";
import { wasmHex as hexOfDense } from "../../src/kernel/wasm-dense.generated.ts";
import { wasmHex as hexOfFloat64 } from "../../src/kernel/wasm-f64.generated.ts";
import {
  ALL_VARIANTS,
  bitsOf,
  ordinaryPlanes,
  type Planes,
  run,
  scalarsFor,
  VARIANTS,
} from "../support/kernels.ts";

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

interface Build {
  real: Real;
  hex: string;
  /** Added to the names of targets and files. */
  suffix: string;
  lanes: string;
  scalar: RegExp;
  kilobytes: number;
}

const BUILDS: Build[] = [
  {
    real: FLOAT32,
    hex: hexOfFloat32,
    suffix: "",
    lanes: "f32x4",
    scalar: /f32\.(sqrt|div|mul|add)/,
    kilobytes: 11.1,
  },
  {
    real: FLOAT64 as unknown as Real,
    hex: hexOfFloat64,
    suffix: "-f64",
    lanes: "f64x2",
    scalar: /f64\.(sqrt|div|mul|add)/,
    kilobytes: 11.5,
  },
];

describe.each(BUILDS)("the committed binary of $real.name", ({ hex, suffix, lanes, scalar, kilobytes }) => {
  const binary = Buffer.from(hex, "hex");
  let text = "";
  beforeAll(async () => {
    const release = await compile(`release${suffix}` as "release");
    text = String(release[`build/release${suffix}.wat`]);
    expect(Buffer.from(release[`build/release${suffix}.wasm`] as Uint8Array).equals(binary)).toBe(true);
  });

  it("is what the committed sources compile to, in its module and, for float32, its text", () => {
    expect(generateModule(new Uint8Array(binary))).toBe(read(`src/kernel/wasm${suffix}.generated.ts`));
    if (suffix === "") expect(text).toBe(read("build/release.wat"));
  });

  it("becomes, for shared memories, what the compiler gives for them", async () => {
    const release = await compile(`release-shared${suffix}` as "release-shared");
    expect(Buffer.from(declareShared(binary))).toEqual(
      Buffer.from(release[`build/release-shared${suffix}.wasm`] as Uint8Array),
    );
  });

  it("imports a memory and nothing else, exports functions and nothing else", () => {
    const module = new WebAssembly.Module(binary);
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    const kinds = WebAssembly.Module.exports(module).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["function"]));
  });

  it("has no data, no start, no global, no table and no memory of its own", () => {
    expect(text).not.toMatch(/^ \((data|start|global|table|elem|memory|tag) /m);
  });

  it("is vectors: all their lanes to a root and a division, and nothing newer than SIMD128", () => {
    for (const instruction of ["v128.load", "v128.store", `${lanes}.sqrt`, `${lanes}.div`]) {
      expect(text).toContain(instruction);
    }
    expect(text).not.toMatch(/relaxed|atomic/);
    const end = text.indexOf("(func $assembly/update/update ");
    expect(end).toBeGreaterThan(0);
    expect(text.slice(0, end)).not.toMatch(scalar);
  });

  it("weighs no more than it did", () => {
    expect(binary.byteLength).toBeLessThanOrEqual(1000 * kilobytes);
  });
});

describe("the binary of whole tensors alone", () => {
  const binary = Buffer.from(hexOfDense, "hex");

  it("is what the committed sources compile to, in its module", async () => {
    const dense = await compileDense();
    expect(generateModule(dense)).toBe(read("src/kernel/wasm-dense.generated.ts"));
    const exported = WebAssembly.Module.exports(new WebAssembly.Module(dense as BufferSource));
    expect(exported.map(({ name }) => name).sort()).toEqual(["sumOfSquares", "update"]);
  });

  it("gives the bits of the whole one in all variants that it has", () => {
    const module = new WebAssembly.Module(binary);
    const variants = ALL_VARIANTS.filter(({ variant }) => (variant & (AVERAGED | ZEROED | LEARNED)) === 0);
    expect(variants).toHaveLength(2 ** 9);
    for (const { variant } of variants) {
      const planes = ordinaryPlanes(45, variant, FLOAT32);
      const scalars = scalarsFor(variant, {}, FLOAT32);
      planes.grad.set([Number.NaN, -0, Number.POSITIVE_INFINITY, FLOAT32.smallestNormal / 8]);
      const results = updateWith(module, planes, scalars, FLOAT32);
      expect(bitsOf(results)).toEqual(bitsOf(run("wasm", planes, scalars)));
    }
  });

  it("becomes one for shared memories, which engines take", () => {
    const shared = new WebAssembly.Module(declareShared(binary));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
    expect(() => new WebAssembly.Instance(shared, { env: { memory } })).not.toThrow();
  });
});

it.each(BUILDS)(
  "gives the same bits in $real.name without the optimizer's rewrites (Binaryen's fast-math has no switch)",
  async ({ real, suffix }) => {
    const files = await compile(`debug${suffix}` as "debug");
    const module = new WebAssembly.Module(files[`build/debug${suffix}.wasm`] as Uint8Array<ArrayBuffer>);
    for (const { variant } of VARIANTS) {
      const count = 257;
      const planes = ordinaryPlanes(count, variant + 1, real);
      const scalars = scalarsFor(variant, {}, real);
      for (const special of [0, -0, NaN, Infinity, -Infinity, real.smallestNormal / 8]) {
        planes.grad[Math.abs(Math.trunc(special)) % 7 || 5] = special;
        planes.grad[count - 1] = special;
        planes.param[count - 1] = -0;
        const expected = run("wasm", planes, scalars);
        expect(bitsOf(updateWith(module, planes, scalars, real))).toEqual(bitsOf(expected));
      }
    }
  },
);

/** By the list of arguments in the contract, which `run` doesn't use: the two orders must be one. */
function updateWith(
  module: WebAssembly.Module,
  planes: Planes<FloatArray>,
  scalars: Scalars,
  { Array: Elements, bytes }: Real,
): Planes<FloatArray> {
  const count = planes.param.length;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = new Elements(memory.buffer);
  const segment = { count } as Segment;
  PLANES.forEach((name, i) => {
    segment[name] = 1024 + i * 4096;
    heap.set(planes[name], segment[name] / bytes);
  });
  const { update } = new WebAssembly.Instance(module, { env: { memory } }).exports as {
    update(...args: number[]): void;
  };
  update(...argumentsOf(segment, scalars));
  const after = (name: Plane) => heap.slice(segment[name] / bytes, segment[name] / bytes + count);
  return Object.fromEntries(PLANES.map((name) => [name, after(name)])) as Planes<FloatArray>;
}
