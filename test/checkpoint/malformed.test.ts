/** Files that are none: each is an error that names the place, changes nothing, and takes no memory to find out. */
import fc from "fast-check";
import { CheckpointError, RMSprop, RMSpropError } from "rmsprop-wasm";
import { load, loadChunks, restore, save } from "rmsprop-wasm/checkpoint";
import { describe, expect, it, vi } from "vitest";
import { seeded } from "../support/kernels.ts";
import { CASES } from "../support/malformed-files.ts";
import { exactly, snapshot, train } from "../support/runs.ts";
import { type Bad, changed, data, file, json, make, text, withSteps } from "../support/saved-file.ts";
import { fileOf, split, withHeader } from "../support/tensor-files.ts";

/** What every way of reading does with it: each gives its error. */
async function refusals(bytes: Uint8Array): Promise<unknown[]> {
  const memory = WebAssembly.Memory;
  const pages: number[] = [];
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function (this: unknown, descriptor) {
    pages.push(descriptor.initial);
    return new memory(descriptor);
  });
  const errors: unknown[] = [];
  for (const read of [load, loadChunksOf]) {
    try {
      await read(bytes);
    } catch (error) {
      errors.push(error);
    }
  }
  vi.restoreAllMocks();
  // Parameters, gradients and three planes of state, a page and what report() uses: no more, whatever the header says.
  for (const count of pages) expect(count * 65_536).toBeLessThan(5 * bytes.length + 3 * 65_536);
  return errors;
}

const loadChunksOf = (bytes: Uint8Array) => loadChunks([bytes.subarray(0, 11), bytes.subarray(11)]);

describe("a malformed file", () => {
  it("is none where nothing was changed", () => {
    const optimizer = make();
    train(optimizer, 3, 5);
    restore(
      optimizer,
      text((json) => json),
    );
    expect(snapshot(optimizer)).toEqual(snapshot(make()));
    expect(snapshot(load(withSteps(["w", "b", "c"], 3)))).toEqual(snapshot(make()));
    // A value that is the name of a key further on.
    const noted = changed((header) => {
      header.__metadata__ = { note: "rmsprop-wasm", ...header.__metadata__ };
    });
    expect(snapshot(load(noted))).toEqual(snapshot(make()));
  });

  it.each(CASES)("with %s is refused, and changes nothing", async (_, bytes, message) => {
    const optimizer = make();
    train(optimizer, 3, 5);
    const before = snapshot(optimizer);
    const { w } = optimizer.params;
    expect(() => restore(optimizer, bytes)).toThrow(RMSpropError);
    expect(() => restore(optimizer, bytes)).toThrow(message);
    expect(snapshot(optimizer)).toEqual(before);
    expect(optimizer.params.w).toBe(w);

    const errors = await refusals(bytes);
    expect(errors).toHaveLength(2);
    for (const error of errors) {
      expect(error).toBeInstanceOf(RMSpropError);
      expect((error as Error).message).toContain(message);
    }
  });

  it("is refused wherever it is cut off", () => {
    const optimizer = make();
    const before = snapshot(optimizer);
    for (let end = 0; end < file.length; end++) {
      const cut = file.subarray(0, end);
      expect(() => restore(optimizer, cut)).toThrow(CheckpointError);
      expect(() => load(cut)).toThrow(/byte|length/);
    }
    expect(snapshot(optimizer)).toEqual(before);
  });

  it.each([undefined, null, 7, "run.safetensors", {}, [1, 2]])("is %s, which isn't bytes", (source) => {
    expect(() => load(source as Bad)).toThrow(CheckpointError);
    expect(() => restore(make(), source as Bad)).toThrow(
      "expected its bytes, in a Uint8Array or ArrayBuffer",
    );
  });

  it("has no tensors", () => {
    const empty = withHeader("{}", new Uint8Array(0));
    expect(() => restore(make(), empty)).toThrow('"w" is missing in the file');
    expect(() => load(empty)).toThrow(
      "The file has no parameters: expected tensors of F32, F64, F16 or BF16",
    );
  });

  it("has several counts of steps for a parameter", () => {
    const one = new Uint8Array(4);
    const counts = { dtype: "F32", shape: [2], bytes: new Uint8Array(8) };
    const w = { dtype: "F32", shape: [1], bytes: one };
    const bytes = fileOf({ w, "state.w.square_avg": w, "state.w.step": counts });
    for (const read of [load, (bytes: Uint8Array) => restore(new RMSprop({ w: [1] }), bytes)]) {
      expect(() => read(bytes)).toThrow('"state.w.step": shape is [2], expected a single number');
    }
  });

  it("is of another optimizer", () => {
    const shapes: [Record<string, number[]>, string][] = [
      [{ w: [2, 3], b: [2] }, "Metadata param_groups.c: there is no parameter of this name"],
      [{ w: [2, 3], b: [2], c: [1], d: [1] }, "Metadata param_groups.d is missing"],
      [{ w: [2, 3], b: [2], d: [1] }, "Metadata param_groups.c: there is no parameter of this name"],
      [{ w: [3, 2], b: [2], c: [1] }, "w.shape of the state: got [2, 3], expected [3, 2]"],
      [{ w: [6], b: [2], c: [1] }, "w.shape of the state: got [2, 3], expected [6]"],
      [{ w: [2, 4], b: [2], c: [1] }, "w.shape of the state: got [2, 3], expected [2, 4]"],
      [{ w: [2, 3], b: [1], c: [1] }, "b.shape of the state: got [2], expected [1]"],
    ];
    for (const [params, message] of shapes) {
      const { c, d, ...first } = params;
      const others = Object.fromEntries(
        Object.entries({ c, d }).filter(([, shape]) => shape),
      ) as typeof params;
      const groups = [
        { params: first as typeof params },
        ...(Object.keys(others).length > 0 ? [{ params: others }] : []),
      ];
      const optimizer = new RMSprop(groups, { momentum: 0.9, ema: { decay: 0.5 } });
      const before = snapshot(optimizer);
      expect(() => restore(optimizer, file)).toThrow(message);
      expect(snapshot(optimizer)).toEqual(before);
    }
    const plain = new RMSprop([{ params: { w: [2, 3], b: [2] } }, { params: { c: [1] } }]);
    expect(() => restore(plain, file)).toThrow('"state.w.ema": the optimizer keeps nothing of this name');
    const regrouped = new RMSprop([{ params: { w: [2, 3] } }, { params: { b: [2], c: [1] } }], {
      ema: { decay: 0.5 },
    });
    expect(() => restore(regrouped, file)).toThrow('Metadata param_groups.c: differs from that of "b"');
  });
});

/** One of a thousand: bytes of the header flipped, cut out, doubled, exchanged; or a value of it replaced. */
function mutated(seed: number): Buffer {
  const next = seeded(seed);
  const below = (limit: number) => next() % limit;
  const bytes = Buffer.from(file);
  const end = bytes.length - data.length;
  const at = below(end);
  const until = Math.min(at + 1 + below(40), end);
  switch (below(5)) {
    case 0:
      bytes[at]! ^= 1 << below(8);
      return bytes;
    case 1:
      bytes[at] = 0x20 + below(95);
      return bytes;
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
    default: {
      const values = [...json.matchAll(/-?\d+(\.\d+)?|"[^"\\]*"|\[[^[\]]*\]/g)];
      const { index, 0: old } = values[below(values.length)]!;
      const news = [
        "-1",
        "0",
        "1e999",
        "9007199254740993",
        "null",
        "{}",
        "[]",
        '""',
        '"NaN"',
        '"__proto__"',
        "[[]]",
        "4",
      ];
      return text((json) => json.slice(0, index) + news[below(news.length)] + json.slice(index + old.length));
    }
  }
}

/** What a file says by the simplest reading, for files that may be sound all the same: another number is one, too. */
function tensorsOf(bytes: Buffer): Record<string, string> {
  const { json, data } = split(bytes);
  const { __metadata__, ...tensors } = JSON.parse(json) as Record<string, Bad>;
  const hex = Object.entries(tensors).map(
    ([
      name,
      {
        data_offsets: [begin, end],
      },
    ]) => [name, data.toString("hex", begin, end)],
  );
  return Object.fromEntries(hex);
}

it("of a thousand mutated files, each is refused or sound", () => {
  let refused = 0;
  for (let seed = 0; seed < 1000; seed++) {
    const bytes = mutated(seed);
    const optimizer = make();
    train(optimizer, 3, 5);
    const before = snapshot(optimizer);
    try {
      restore(optimizer, bytes);
    } catch (error) {
      refused++;
      expect(error, `mutation ${seed}`).toBeInstanceOf(RMSpropError);
      expect((error as Error).message.length).toBeGreaterThan(10);
      expect(snapshot(optimizer)).toEqual(before);
      continue;
    }
    expect(tensorsOf(Buffer.from(save(optimizer))), `mutation ${seed}`).toEqual(tensorsOf(bytes));
  }
  expect(refused).toBeGreaterThan(700);
});

it("any JSON for any value of the header is refused or sound", () => {
  const paths = Object.entries(JSON.parse(json)).flatMap(([name, value]) => [
    [name],
    ...Object.keys(value as object).map((key) => [name, key]),
  ]);
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue(), ([name, key], value) => {
      const bytes = changed((header) => {
        if (key === undefined) header[name!] = value;
        else header[name!][key] = value;
      });
      const optimizer = make();
      const before = snapshot(optimizer);
      try {
        restore(optimizer, bytes);
        expect(exactly(optimizer.stateDict().tensors)).toEqual((before as Bad).tensors);
      } catch (error) {
        expect(error).toBeInstanceOf(RMSpropError);
        expect(snapshot(optimizer)).toEqual(before);
      }
    }),
    { numRuns: 1000 },
  );
});
