/** Files of many tensors cost as much for each further tensor, however many there are: counted in uses of maps and sets. */
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { load, restore, save } from "rmsprop-wasm/checkpoint";
import { afterEach, describe, expect, it, vi } from "vitest";
import { withHeader } from "../support/tensor-files.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const make = (count: number) =>
  new RMSprop(Object.fromEntries(Array.from({ length: count }, (_, i) => [`layers.${i}`, [2]])), {
    momentum: 0.9,
  });

/** Lookups, and insertions, in maps and sets while something is done. */
function usesOf(act: () => unknown): { lookups: number; insertions: number } {
  const spies = {
    lookups: [vi.spyOn(Map.prototype, "get"), vi.spyOn(Map.prototype, "has"), vi.spyOn(Set.prototype, "has")],
    insertions: [vi.spyOn(Map.prototype, "set"), vi.spyOn(Set.prototype, "add")],
  };
  act();
  const count = (all: { mock: { calls: unknown[] } }[]) =>
    all.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  const uses = { lookups: count(spies.lookups), insertions: count(spies.insertions) };
  vi.restoreAllMocks();
  return uses;
}

/** Uses for each tensor beyond the first 1001, where files begin to have hyperparameters once: among 500 further, and 1000. */
function usesPerTensor(act: (optimizer: RMSprop, file: Uint8Array) => unknown) {
  const [few, more, many] = [1001, 1501, 2501].map((count) => {
    const optimizer = make(count);
    const file = save(optimizer);
    return usesOf(() => act(optimizer, file));
  });
  const between = (a: typeof few, b: typeof few, count: number) => ({
    lookups: (b!.lookups - a!.lookups) / count,
    insertions: (b!.insertions - a!.insertions) / count,
  });
  return [between(few, more, 500), between(more, many, 1000)] as const;
}

describe("each further tensor of a file", () => {
  // The most that each took when this was written, with three arrays and a count of steps for a tensor. The way from 32,000
  // tensors in ten seconds to half a second was one of fewer maps.
  it.each([
    {
      name: "load",
      most: { lookups: 13, insertions: 8 },
      act: (_: RMSprop, file: Uint8Array) => load(file),
    },
    { name: "restore", most: { lookups: 13, insertions: 8 }, act: restore },
    { name: "save", most: { lookups: 7, insertions: 4 }, act: (optimizer: RMSprop) => save(optimizer) },
  ])("takes as many uses of maps by $name as the one before, and few", ({ act, most }) => {
    const [first, later] = usesPerTensor(act);
    expect(later).toEqual(first);
    expect(first.lookups).toBeLessThanOrEqual(most.lookups);
    expect(first.insertions).toBeLessThanOrEqual(most.insertions);
  });
});

describe("an entry behind two of its shape, of which a reader may expect a third", () => {
  const DATA = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
  const entry = (i: number) => `{"dtype":"F32","shape":[1],"data_offsets":[${4 * i},${4 * i + 4}]}`;
  const behind = (last: string) =>
    withHeader(`{"a":${entry(0)},"b":${entry(1)},"c":${entry(2)},"d":${last}}`, DATA);

  it.each([
    entry(3),
    '{"dtype":"F32","shape":[1],"data_offsets":[ 12 , 16 ] }',
    '{"dtype":"F32","shape":[1],"data_offsets":[12,16],"others":{"shape":[2]}}',
    '{"dtype":"F32" ,"shape":[1],"data_offsets":[12,16]}',
    '{"shape":[1],"dtype":"F32","data_offsets":[12,16]}',
    '{"data_offsets":[12,16],"dtype":"F32","shape":[1]}',
  ])("is read: %s", (last) => {
    expect([...load(behind(last)).params.d!]).toEqual([4]);
  });

  it("is read as it is behind another", () => {
    const others = '"c":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}';
    const header = `{"a":${entry(0)},"b":${entry(1)},${others},"d":${entry(3)}}`;
    const { params } = load(withHeader(header, DATA));
    expect(Object.values(params).map(({ length }) => length)).toEqual([1, 1, 2, 1]);
    expect([...params.d!]).toEqual([4]);
  });

  it.each([
    ['{"dtype":"F32","shape":[1],"data_offsets":[12,16],"shape":[1]}', '"shape" twice'],
    ['{"dtype":"F32","shape":[1],"data_offsets":[12,16],"data_offsets":[12,16]}', '"data_offsets" twice'],
    ['{"dtype":"F32","shape":[1],"data_offsets":[12,16],"dtype":"F32"}', '"dtype" twice'],
    ['{"shape":[1],"dtype":"F32","shape":[1],"data_offsets":[12,16]}', '"shape" twice'],
    ['{"data_offsets":[12,16],"dtype":"F32","shape":[1],"data_offsets":[12,16]}', '"data_offsets" twice'],
    ['{"dtype":"F32","shape":[1],"data_offsets":{}}', "data_offsets is {}, expected two whole numbers"],
    ['{"dtype":"F32","shape":[1],"data_offsets":[12,16]', "unexpected end"],
    ['{"dtype":"F64","shape":[1],"data_offsets":[12,16]}', "expected 8 bytes for its dtype and shape"],
  ])("is refused: %s", (last, message) => {
    expect(() => load(behind(last))).toThrow(CheckpointError);
    expect(() => load(behind(last))).toThrow(message);
  });

  it.each(["[,16]", "[12,]", "[12,016]", "[12,16.0]", "[12,1.6e1]", "[12,-16]", "[12]", "[12,16,20]"])(
    "is refused with offsets as %s",
    (offsets) => {
      const file = behind(`{"dtype":"F32","shape":[1],"data_offsets":${offsets}}`);
      expect(() => load(file)).toThrow(CheckpointError);
      expect(() => load(file)).toThrow(/data_offsets|not JSON/);
    },
  );
});
