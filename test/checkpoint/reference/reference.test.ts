/** Headers that the safetensors library has judged (vectors.py): this package reads them, or refuses them, as it does. */
import { readFileSync } from "node:fs";
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { carriedTensors, load, loadChunks, restore } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";

/** Files that the library reads and this package refuses, by the words of their vectors, each with the message. */
const STRICTER: ReadonlyMap<string, string> = new Map([
  // Its parser takes an array in an object's place. Nobody writes one.
  ["an entry in a list", '"x": it is ["F32",[1],[4,8]], expected an object'],
  ["a dtype as an object", '"x": dtype is {"F32":null}, expected F32'],
  // It takes the last of equal keys, where the format's description forbids them.
  ['metadata of {"a":"b","a":"c"}', 'The header names "a" twice'],
  // The number isn't one of JavaScript's, so that it couldn't be written again.
  [
    "none of 2 ** 60",
    '"x": shape holds 1152921504606846976, expected whole numbers in digits alone, below 2 ** 53',
  ],
]);

interface Vector {
  name: string;
  file: string;
  /** The tensors that the library reads, or its reason to refuse. */
  tensors?: Record<string, [dtype: string, shape: number[], hex: string]>;
  refused?: string;
}

// Not imported: bundlers make a prototype of a key `__proto__`.
const { vectors } = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as {
  vectors: Vector[];
};
const cases = vectors.map(({ name, file, tensors, refused }) => ({
  name,
  file: Buffer.from(file, "base64"),
  tensors,
  refused,
}));
const accepted = cases.filter(({ name, refused }) => !refused && !STRICTER.has(name));
const refused = cases.filter(({ refused }) => refused);
const restored = (file: Uint8Array) => restore(new RMSprop({ w: [1] }), file);

describe("the safetensors library", () => {
  it.each(accepted)("reads $name, and so does this package", async ({ file, tensors }) => {
    const optimizer = new RMSprop({ w: [1] });
    restore(optimizer, file);
    const { w, ...others } = tensors!;
    expect(Buffer.from(optimizer.params.w.slice().buffer).toString("hex")).toBe(w![2]);
    const carried = [...carriedTensors(optimizer)].map(([name, { dtype, shape, bytes }]) => [
      name,
      [dtype, shape, Buffer.from(bytes).toString("hex")],
    ]);
    expect(Object.fromEntries(carried)).toEqual(others);

    const ones = Array.from(file, (byte) => Uint8Array.of(byte));
    for (const loaded of [load(file), await loadChunks(ones)]) {
      const names = [...Object.keys(loaded.params), ...carriedTensors(loaded).keys()];
      expect(names.sort()).toEqual(Object.keys(tensors!).sort());
    }
  });

  it.each(refused)("refuses $name, and so does this package", async ({ file }) => {
    for (const read of [load, restored]) expect(() => read(file)).toThrow(CheckpointError);
    await expect(loadChunks([file])).rejects.toThrow(CheckpointError);
  });

  it.each([...STRICTER])("reads %s, which this package refuses", (name, message) => {
    const { file, tensors } = cases.find((one) => one.name === name)!;
    expect(tensors).toBeDefined();
    for (const read of [load, restored]) expect(() => read(file)).toThrow(message);
  });

  it("has judged every kind of file", () => {
    expect(accepted.length).toBeGreaterThan(60);
    expect(refused.length).toBeGreaterThan(100);
  });
});
