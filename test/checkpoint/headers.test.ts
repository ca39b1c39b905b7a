/** Headers of files at their edges: names, places, metadata, and engines that decode less. */
import { CheckpointError, RMSprop } from "rmsprop-wasm";
import { carriedTensors, load, restore, save } from "rmsprop-wasm/checkpoint";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Metadata } from "../../src/checkpoint/metadata.ts";
import { snapshot } from "../support/runs.ts";
import { f32, fileOf, split, step, withHeader } from "../support/tensor-files.ts";

afterEach(() => vi.unstubAllGlobals());

const tensors = { w: f32(1, 2), "state.w.square_avg": f32(3, 4), "state.w.step": step(5) };
const file = fileOf(tensors);
const { json, data } = split(file);

describe("a parameter's name", () => {
  it.each([
    'a"b',
    "a\\",
    '"',
    "\\n",
    "\n",
    "\u0000",
    "\u001f",
    "\u007f",
    "é",
    "日本",
    "😀",
    " ",
    "a b~",
    "[]{}!#",
    "__proto__",
  ])("can be %j", (name) => {
    const optimizer = new RMSprop(Object.fromEntries([[name, Float32Array.of(1, 2)]]));
    optimizer.grads[name]!.fill(1);
    optimizer.step();
    const saved = save(optimizer);
    expect(Object.keys(JSON.parse(split(saved).json))).toContain(name);
    const loaded = load(saved);
    expect(Object.keys(loaded.params)).toEqual([name]);
    expect(snapshot(loaded)).toEqual(snapshot(optimizer));
  });

  it("has no half of a character, which no file could hold", () => {
    for (const name of ["\ud800", "a\udc00b", "\udc00\ud800"]) {
      const optimizer = new RMSprop({ [name]: [1] });
      expect(() => save(optimizer)).toThrow(CheckpointError);
      expect(() => save(optimizer)).toThrow("which has half a character");
    }
  });
});

describe("a file", () => {
  it("is read from its bytes in any buffer", () => {
    const shared = new SharedArrayBuffer(file.length);
    new Uint8Array(shared).set(file);
    const behind = new Uint8Array(file.length + 3);
    behind.set(file, 3);
    const views = [behind.subarray(3), new DataView(behind.buffer, 3)] as Uint8Array[];
    for (const source of [new Uint8Array(file).buffer, shared, ...views]) {
      expect(snapshot(load(source))).toEqual(snapshot(load(file)));
    }
  });

  it("ends where its tensors do", () => {
    const end = `and its tensors at ${file.length}: was it cut short, or joined?`;
    expect(() => load(file.subarray(0, -1))).toThrow(`The file ends at byte ${file.length - 1}, ${end}`);
    expect(() => load(Buffer.concat([file, file]))).toThrow(`The file ends later, ${end}`);
  });

  it("has no two things of one name, and none of the format's own", () => {
    const named = (name: string) => new RMSprop(Object.fromEntries(["w", name].map((name) => [name, [2]])));
    for (const name of ["__metadata__", "state.w.square_avg", "state.w.step"]) {
      expect(() => save(named(name))).toThrow(
        `Two things would be called "${name}" in the file: rename the parameter.`,
      );
    }
  });
});

describe("a tensor's place", () => {
  const empty = { dtype: "F32", shape: [0], data_offsets: [0, 0] };
  const withEmpty = (where: "first" | "last", place: number) => {
    const header = JSON.parse(json);
    const added = { e: { ...empty, data_offsets: [place, place] } };
    return withHeader(
      JSON.stringify(where === "first" ? { ...added, ...header } : { ...header, ...added }),
      data,
    );
  };

  it.each(["first", "last"] as const)(
    "is that of another one too, where it's empty and named %s",
    (where) => {
      // At the begin of each tensor, and at the end of all.
      for (const place of [0, 8, 16, 20]) {
        const loaded = load(withEmpty(where, place));
        expect(snapshot(loaded)).toMatchObject({ steps: 5 });
        expect([...loaded.params.w!]).toEqual([1, 2]);
        expect([...carriedTensors(loaded).keys()]).toEqual(["e"]);
      }
    },
  );

  it("isn't within another one, though it's empty", () => {
    expect(() => load(withEmpty("last", 4))).toThrow(
      /^"e": data_offsets begin at .*, which overlaps the tensor before it\.$/,
    );
    expect(() => load(withEmpty("last", 24))).toThrow("leaves a hole before it");
  });

  it.each([
    ["[2]", "[02]"],
    ["[2]", "[2.0]"],
    ["[2]", "[2e0]"],
    ["[8,16]", "[08,16]"],
    ["[0,8]", "[00,8]"],
  ])("and its shape are whole numbers in digits alone: %s isn't %s", (right, wrong) => {
    expect(json).toContain(right);
    const bytes = withHeader(json.replace(right, wrong), data);
    expect(() => load(bytes)).toThrow(CheckpointError);
    expect(() => restore(new RMSprop({ w: [2] }), bytes)).toThrow(CheckpointError);
  });
});

describe("metadata", () => {
  const withMetadata = (text: string) => withHeader(json.replace("{", `{"__metadata__":${text},`), data);

  it.each(["null", "{}", '{"a":"b"}', " null ", '{"a":"a","b":"a"}'])("can be %s", (text) => {
    expect(snapshot(load(withMetadata(text)))).toEqual(snapshot(load(file)));
  });

  it.each(["nul", "nope", "n"])("are no JSON where they are %s", (text) => {
    expect(() => load(withMetadata(text))).toThrow("The header is not JSON: unexpected");
  });

  it.each(["true", "0", "[]", '"null"'])("can't be %s", (text) => {
    expect(() => load(withMetadata(text))).toThrow(
      `__metadata__: got ${text} for "__metadata__", expected an object of strings.`,
    );
  });

  it.each([3, 31, 32, 33, 40, 100])(
    "of %i keys hold each once, whatever their values are called",
    (count) => {
      // Each value is the name of another key.
      const metadata = new Metadata();
      const keys = Array.from({ length: count }, (_, i) => `record.key${i}`);
      const valueAt = (i: number) => `key${(i + count - 1) % count}`;
      keys.forEach((key, i) => {
        expect(metadata.add(key, valueAt(i))).toBe(true);
        expect(metadata.add(keys[i >> 1]!, "again")).toBe(false);
      });
      for (const key of keys) expect(metadata.add(key, "again")).toBe(false);
      keys.forEach((key, i) => {
        expect(metadata.get(key)).toBe(valueAt(i));
      });
      expect([metadata.get("record.other"), metadata.get("key0"), metadata.get("other.key0")]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      const [[name, pairs]] = [...metadata.recordsOf("rec")] as [[string, readonly string[]]];
      expect([name, pairs]).toEqual(["ord", keys.flatMap((key, i) => [key.slice(7), valueAt(i)])]);
    },
  );

  it("of several records in turn stay apart, and long texts are kept whole", () => {
    const metadata = new Metadata();
    const long = "x".repeat(40);
    for (const key of ["a.k", "b.k", "k", "a.b.k", "a.l", "b.l", `a.${long}`]) {
      expect(metadata.add(key, `${key} ${long}`)).toBe(true);
      expect(metadata.add(key, "again")).toBe(false);
    }
    for (const key of ["a.k", "b.k", "k", "a.b.k", "a.l", "b.l", `a.${long}`]) {
      expect(metadata.get(key)).toBe(`${key} ${long}`);
    }
    expect([...metadata.recordsOf("a.")].map(([name, pairs]) => [name, pairs.length])).toEqual([
      ["", 6],
      ["b", 2],
    ]);
  });
});

describe("an engine", () => {
  it("whose decoder refuses memory that is shared or can be resized, as browsers' do, reads files there", () => {
    vi.stubGlobal(
      "TextDecoder",
      class extends TextDecoder {
        override decode(bytes: Uint8Array<ArrayBuffer>) {
          const { buffer } = bytes as { buffer: ArrayBufferLike & { resizable?: boolean } };
          if (buffer instanceof SharedArrayBuffer || buffer.resizable) throw new TypeError("not allowed");
          return super.decode(bytes);
        }
      },
    );
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;
    const resizable = new Uint8Array(new Resizable(file.length, { maxByteLength: 2 * file.length }));
    for (const bytes of [shared, resizable]) {
      bytes.set(file);
      expect(snapshot(load(bytes))).toEqual(snapshot(load(file)));
    }
  });

  it.each(["TextDecoder", "TextEncoder"])("without a %s is told what it needs", (name) => {
    const optimizer = new RMSprop({ w: [1] });
    vi.stubGlobal(name, undefined);
    const use = name === "TextDecoder" ? () => load(file) : () => save(optimizer);
    expect(use).toThrow(CheckpointError);
    expect(use).toThrow(`This engine has no ${name}, which checkpoints need: set globalThis.${name}`);
  });

  const cause = new RangeError("Array buffer allocation failed");
  /** The error of a call in an engine that has no memory for an array of so many bytes. */
  function errorWithout(byteLength: number, use: () => unknown): unknown {
    vi.stubGlobal(
      "Uint8Array",
      new Proxy(Uint8Array, {
        construct(target, args) {
          if (args[0] === byteLength) throw cause;
          return Reflect.construct(target, args);
        },
      }),
    );
    try {
      use();
    } catch (error) {
      return error;
    } finally {
      vi.unstubAllGlobals();
    }
    return undefined;
  }

  it("that has no memory for the whole of a file has it said, with the way around it", () => {
    const optimizer = new RMSprop({ w: [1000] });
    const byteLength = save(optimizer).length;
    expect(errorWithout(byteLength, () => save(optimizer))).toMatchObject({
      name: "MemoryError",
      message: `An array of ${byteLength} bytes can't be allocated: use saveChunks.`,
      cause,
    });
  });

  it("that has no memory for what is carried along has it said", () => {
    const carried = fileOf({ ...tensors, n: { dtype: "I8", shape: [777], bytes: new Uint8Array(777) } });
    for (const read of [load, (bytes: Uint8Array) => restore(new RMSprop({ w: [2] }), bytes)]) {
      expect(errorWithout(777, () => read(carried))).toMatchObject({
        name: "MemoryError",
        message: "The file's tensors beside the parameters and their averages are too large for this engine.",
        cause,
      });
    }
  });

  it("that finds no UTF-8 in a header gives its own error as the cause", () => {
    const bytes = withHeader(Buffer.from(json.replace("w", "\u00ff"), "latin1"), data);
    try {
      load(bytes);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toMatch(/^The header is not in UTF-8: TypeError/);
      expect((error as Error).cause).toBeInstanceOf(TypeError);
    }
  });
});
