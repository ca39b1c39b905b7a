/** Initial values in every form that people have them in, told apart from shapes. */
import vm from "node:vm";
import fc from "fast-check";
import { ParameterError } from "rmsprop-wasm";
import { load, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, expectTypeOf, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { bits } from "../support/kernels.ts";

// biome-ignore lint/suspicious/noExplicitAny: bad input is what some of these tests are about
type Bad = any;

/** A flat array as rows within rows. */
function nest(shape: readonly number[], flat: readonly number[]): Bad {
  const [size, ...inner] = shape;
  if (size === undefined) return flat[0];
  const stride = flat.length / size;
  return Array.from({ length: size }, (_, i) => nest(inner, flat.slice(i * stride, (i + 1) * stride)));
}

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
/** Doubles that float32 holds after rounding; infinities and NaN among them. */
const doubles = fc.double().filter((x) => !Number.isFinite(x) || Number.isFinite(Math.fround(x)));
const withValues = shapes.chain((shape) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return fc.tuple(fc.constant(shape), fc.array(doubles, { minLength: count, maxLength: count }));
});

describe.each(ENTRIES)("$entry", ({ make }) => {
  it("takes values with a shape, nested, in doubles and in floats, to the same bits", () => {
    fc.assert(
      fc.property(withValues, ([shape, flat]) => {
        const floats = Float32Array.from(flat);
        const optimizer = make({
          plain: { shape, values: flat },
          doubles: Float64Array.from(flat),
          shapedFloats: { shape, values: floats },
          shapedDoubles: { shape, values: Float64Array.from(flat) },
          floats,
        });
        for (const view of Object.values(optimizer.params)) expect(bits(view)).toEqual(bits(floats));
        const { tensors } = optimizer.stateDict();
        expect(tensors.plain.shape).toEqual(shape);
        expect(tensors.shapedDoubles.shape).toEqual(shape);
        expect(tensors.doubles.shape).toEqual([flat.length]);
        optimizer.dispose();

        if (shape.length < 2) return;
        const nested = make({ w: nest(shape, flat) });
        expect(bits(nested.params.w)).toEqual(bits(floats));
        expect(nested.stateDict().tensors.w.shape).toEqual(shape);
        nested.dispose();
      }),
      { numRuns: 30 },
    );
  });

  it("takes rows in typed arrays, and arrays of another realm", () => {
    expect([...make({ w: [Float32Array.of(1, 2), Float64Array.of(3, 4), [5, 6]] }).params.w]).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
    const foreign = vm.runInNewContext("({ a: new Float64Array([1, 2]), b: [[3], [4]] })");
    const { params } = make(foreign as { a: Float64Array; b: number[][] });
    expect([...params.a, ...params.b]).toEqual([1, 2, 3, 4]);
  });

  it("takes a single number by the shape of one", () => {
    expect([...make({ scale: { shape: [], values: [0.5] } }).params.scale]).toEqual([0.5]);
  });

  it("copies once: neither values nor shape are read again", () => {
    const values = [1.5, 2.5];
    const shape = [2];
    const optimizer = make({ w: { shape, values } });
    values[0] = 9;
    shape[0] = 7;
    expect([...optimizer.params.w]).toEqual([1.5, 2.5]);
    expect(optimizer.stateDict().tensors.w.shape).toEqual([2]);
  });

  it("keeps an array of whole numbers a shape", () => {
    expect(make({ w: [1, 2, 3] }).params.w).toEqual(new Float32Array(6));
  });

  it("keeps the shape in a checkpoint", () => {
    const optimizer = make({ w: [[0.5, 1.5, 2.5]] });
    const loaded = load<"w">(save(optimizer));
    expect(loaded.stateDict().tensors.w.shape).toEqual([1, 3]);
    expect([...loaded.params.w]).toEqual([0.5, 1.5, 2.5]);
  });

  it("refuses an array that holds itself", () => {
    const cyclic: Bad = [];
    cyclic[0] = cyclic;
    expect(() => make({ w: cyclic })).toThrow(/expected at least one value, in at most 32 dimensions/);
  });

  it.each<[given: unknown, message: RegExp]>([
    [
      [0.1, 0.2],
      /"w": got \[0.1, 0.2\] \(these look like values: pass { shape: \[2\], values: \[0.1, 0.2\] }\)/,
    ],
    [[-1], /these look like values: pass { shape: \[1\], values: \[-1\] }/],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what this is about
    [[3, , 2], /"w": got \[3, undefined, 2\], expected a shape/],
    [new Array(3), /got \[undefined, undefined, undefined\], expected a shape/],
    [[2, "3"], /got \[2, "3"\], expected a shape/],
    [{ shape: [2, 3], values: [1, 2, 3, 4] }, /got 4 values, expected 6, since the shape is \[2, 3\]/],
    [{ shape: [0], values: [] }, /got { shape: \[0\], values: \[\] }, expected { shape, values }, a shape/],
    [{ shape: [2] }, /got { shape: \[2\] }, expected { shape, values }/],
    [{ values: [1, 2] }, /got { values: \[1, 2\] }, expected a shape/],
    [
      { shape: [2], values: [1, 2], name: "w" },
      /got { shape: \[2\], values: \[1, 2\], name: "w" }, expected { shape, values }/,
    ],
    [{ shape: [2], values: [1, null] }, /got null at \[1\], expected a number/],
    // biome-ignore lint/suspicious/noSparseArray: as above
    [{ shape: [2], values: [, 1] }, /got undefined at \[0\], expected a number/],
    [
      { shape: [1, 2], values: [[1, 2]] },
      /expected { shape, values }, a shape of whole numbers above 0 and a flat array/,
    ],
    [{ shape: [1], values: "1" }, /values: "1" }, expected/],
    [{ shape: [2], values: [1, 1e39] }, /got 1e\+39 at 1, expected numbers that a float32 can hold/],
    [Float64Array.of(0, -1e39), /got -1e\+39 at 1/],
    [new Float64Array(0), /got a Float64Array of length 0, expected at least one value/],
    [[[1, 2], [3]], /got 1 at \[1\], expected a row of 2, as the first one/],
    [[[1, 2], 3], /got 3 at \[1\], expected a row of 2/],
    [[3, [1, 2]], /got \[1, 2\] at \[1\], expected a number/],
    [[[1, "2"]], /got "2" at \[0,1\], expected a number/],
    [[[]], /got \[\[\]\], expected at least one value/],
    [new Int32Array(2), /got an Int32Array, expected a shape/],
    [
      { param: new Float32Array(1), grad: new Float32Array(1), size: 1 },
      /size: 1 }, expected { param, grad }/,
    ],
  ])("refuses %o and says what it takes", (given, message) => {
    expect(() => make({ w: given } as Bad)).toThrow(ParameterError);
    expect(() => make({ w: given } as Bad)).toThrow(message);
  });
});

it("types the names of each form", () => {
  const optimizer = ENTRIES[0].make({
    a: { shape: [2], values: [1, 2] },
    b: [
      [1, 2],
      [3, 4],
    ],
    c: new Float64Array(2),
    d: [Float32Array.of(1)],
  });
  expectTypeOf(optimizer.params).toEqualTypeOf<Readonly<Record<"a" | "b" | "c" | "d", Float32Array>>>();
  expect(Object.keys(optimizer.params)).toEqual(["a", "b", "c", "d"]);
});
