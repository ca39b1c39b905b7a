/** Optimizers of many small tensors: in groups of more than a thousand, a file has the hyperparameters once. */
import { RMSprop } from "rmsprop-wasm";
import { load, loadChunks, restore, save, saveChunks } from "rmsprop-wasm/checkpoint";
import { describe, expect, it } from "vitest";
import { split, withHeader } from "../support/tensor-files.ts";

const MOST_RECORDS = 1000;

function make(count: number) {
  const large = Object.fromEntries(Array.from({ length: count }, (_, i) => [`layers.${i}`, [2]]));
  const optimizer = new RMSprop([
    { params: large, lr: 0.5, momentum: 0.9 },
    { params: { b: [3], c: [1] }, alpha: 0.75 },
  ]);
  for (const [i, grad] of Object.values(optimizer.grads).entries()) grad.fill(i - 5);
  optimizer.step();
  return optimizer;
}

const headerOf = (file: Uint8Array) => JSON.parse(split(file).json);
const metadataOf = (file: Uint8Array): Record<string, string> => headerOf(file).__metadata__;
const namedIn = (file: Uint8Array) =>
  new Set(Object.keys(metadataOf(file)).flatMap((key) => /^param_groups\.(.*)\.[^.]*$/.exec(key)?.[1] ?? []));

describe("a file of many tensors", () => {
  it.each([MOST_RECORDS, MOST_RECORDS + 1])("has all of %i, whole and in pieces", async (count) => {
    const optimizer = make(count);
    const file = save(optimizer);
    expect(namedIn(file).size).toBe(count > MOST_RECORDS ? 1 + 2 : count + 2);
    for (const loaded of [load(file), await loadChunks(saveChunks(optimizer))]) {
      expect(loaded.stateDict()).toEqual(optimizer.stateDict());
      expect(Buffer.compare(save(loaded), file)).toBe(0);
    }
    // Groups of the reader's own, whose first tensor isn't the file's.
    const names = Object.keys(optimizer.params)
      .filter((name) => name.startsWith("layers."))
      .reverse();
    const other = new RMSprop([
      { params: Object.fromEntries(names.slice(0, 3).map((name) => [name, [2]])) },
      { params: Object.fromEntries(names.slice(3).map((name) => [name, [2]])) },
      { params: { c: [1], b: [3] } },
    ]);
    restore(other, file);
    expect(other.groups.map(({ lr, momentum, alpha }) => [lr, momentum, alpha])).toEqual([
      [0.5, 0.9, 0.99],
      [0.5, 0.9, 0.99],
      [0.01, 0, 0.75],
    ]);
    expect(other.params["layers.0"]).toEqual(optimizer.params["layers.0"]);
  });

  it("has a record with each that has keys of its own", () => {
    const file = save(make(MOST_RECORDS + 1));
    const header = headerOf(file);
    const { data } = split(file);
    const metadata = header.__metadata__;
    const own = JSON.parse(metadata["rmsprop-wasm"]);
    own.carried = { tensors: [], keys: ["note"] };
    metadata["rmsprop-wasm"] = JSON.stringify(own);
    for (const [key, json] of Object.entries(metadata)) {
      if (key.startsWith("param_groups.layers.0.")) metadata[key.replace("layers.0.", "layers.7.")] = json;
    }
    metadata["param_groups.layers.7.note"] = '"seventh"';
    const again = save(load(withHeader(JSON.stringify(header), data)));
    expect(metadataOf(again)["param_groups.layers.7.note"]).toBe('"seventh"');
    expect([...namedIn(again)].sort()).toEqual(["b", "c", "layers.0", "layers.7"]);
    expect(Buffer.compare(save(load(again)), again)).toBe(0);
    // A key that the first one alone has isn't given to the others.
    delete metadata["param_groups.layers.7.note"];
    metadata["param_groups.layers.0.note"] = '"first"';
    for (const key of Object.keys(metadata)) if (key.includes(".layers.7.")) delete metadata[key];
    const shared = save(load(withHeader(JSON.stringify(header), data)));
    expect(Buffer.compare(save(load(shared)), shared)).toBe(0);
  });

  it("takes as many bytes for each further tensor: 100,000 stay far below the limit of a header", () => {
    const bytes = [2000, 4000, 8000].map((count) => save(make(count)).length);
    expect(bytes[2]! - bytes[1]!).toBeLessThan(2.1 * (bytes[1]! - bytes[0]!));
    expect((bytes[2]! - bytes[1]!) / 4000).toBeLessThan(600);
  });

  it("lacks the record of the first", () => {
    const file = save(make(MOST_RECORDS + 1));
    const header = headerOf(file);
    for (const key of Object.keys(header.__metadata__)) {
      if (key.startsWith("param_groups.layers.0.")) delete header.__metadata__[key];
    }
    expect(() => load(withHeader(JSON.stringify(header), split(file).data))).toThrow(
      "Metadata param_groups.layers.0.lr is missing",
    );
  });
});
