/** The reader of JSON beside `JSON.parse`: the same values, and an error wherever that has one or passes over something. */
import fc from "fast-check";
import { CheckpointError } from "rmsprop-wasm";
import { describe, expect, it } from "vitest";
import { isObject, JsonReader, parseJson } from "../../src/checkpoint/json.ts";

const parse = (text: string) => parseJson(text, "It");
/** The value that `JSON.parse` makes of a text; for one that it refuses undefined, which no JSON means. */
function expected(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
/** White space of all kinds between the tokens of a text. */
const spaced = (text: string) =>
  text.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (token) => (token[0] === '"' ? token : ` \t${token}\n\r`));

describe("any value", () => {
  it("is read as it was written, with white space or without", () => {
    const noSurrogates = { noUnicodeString: false, stringUnit: "grapheme" } as const;
    fc.assert(
      fc.property(fc.json(noSurrogates), (text) => {
        const value = JSON.parse(text);
        expect(parse(text)).toEqual(value);
        expect(parse(spaced(text))).toEqual(value);
        expect(parse(JSON.stringify(value, null, 2))).toEqual(value);
        const reader = new JsonReader(` ${text} `, "It");
        expect(reader.raw()).toBe(text.trim());
        expect(reader.peek()).toBe("");
      }),
    );
  });

  it("of one that was changed at a place is refused where it's no JSON", () => {
    const characters = fc.constantFrom(...'{}[]":,.0123456789eE+-\\u tnfalsr\n\u0001');
    let refused = 0;
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 2 }),
        fc.nat(),
        characters,
        fc.boolean(),
        (json, place, put, isMore) => {
          const at = place % (json.length + 1);
          const text = json.slice(0, at) + put + json.slice(at + (isMore ? 0 : 1));
          const value = expected(text);
          let read: unknown;
          try {
            read = parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(CheckpointError);
            refused++;
            if (value === undefined) return;
            // All else that is refused.
            expect((error as Error).message).toMatch(/twice|half a character|beyond all numbers/);
            return;
          }
          expect(read, text).toEqual(value);
        },
      ),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

it.each([
  "0",
  "-0",
  "7",
  "10",
  "-12.5",
  "0.25",
  "120e2",
  "1E-2",
  "5e+1",
  "-1.25e10",
  "true",
  "false",
  "null",
])("the scalar %s", (text) => {
  expect(parse(text)).toBe(JSON.parse(text));
  expect(parse(`[${text}]`)).toEqual([JSON.parse(text)]);
});

it.each(
  [
    "",
    "-",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "+1",
    "1e",
    "1e+",
    "1.e1",
    "0x1",
    "1_0",
    "--1",
    "NaN",
    "Infinity",
    "tru",
    "nul",
  ]
    .concat([
      "truefalse",
      "1 2",
      '"',
      '"a',
      '"a\\',
      '"a\\"',
      '"\\x41"',
      '"\\u12g4"',
      "'a'",
      "[",
      "[1",
      "[1,",
      "[1,]",
      "[,1]",
    ])
    .concat([
      "]",
      "{",
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,',
      '{"a":1,}',
      "{1:1}",
      "{a:1}",
      '{"a" 1}',
      "[1 2]",
      "[1}",
      '{"a":1]',
    ]),
)("%s is refused, with its place", (text) => {
  expect(expected(text)).toBeUndefined();
  for (const wrong of [text, `${text} `, `[1,${text}`]) {
    expect(() => parse(wrong)).toThrow(CheckpointError);
    expect(() => parse(wrong)).toThrow(/^It is not JSON: unexpected (".*"|end) at character \d+\.$/s);
  }
});

it("an error tells what was found, and where", () => {
  expect(() => parse('{"a": nothing that is known}')).toThrow(
    'It is not JSON: unexpected "nothing that is know" at character 6.',
  );
  expect(() => parse('["a", "b')).toThrow("It is not JSON: unexpected end at character 8.");
  expect(() => parse('["\\x"]')).toThrow('It is not JSON: unexpected "\\"\\\\x\\"]" at character 1.');
  expect(() => parse("[1e999]")).toThrow("It holds 1e999, which is beyond all numbers.");
});

it("a string holds no control character as it is, also where a quote follows, and each as an escape", () => {
  for (let code = 0; code < 0x20; code++) {
    const character = String.fromCharCode(code);
    for (const text of [`"${character}"`, `"a${character}b"`, `["${character}", "x"]`]) {
      expect(() => parse(text), String(code)).toThrow("It is not JSON");
    }
    expect(parse(JSON.stringify(character))).toBe(character);
  }
  expect(parse('" \u007f\u0080\u2028"')).toBe(" \u007f\u0080\u2028");
});

it("a string holds whole characters alone", () => {
  for (const half of ["\\ud800", "\\udc00", "\\ud83d\\u0041", "a\\udfff"]) {
    expect(() => parse(`"${half}"`)).toThrow(/^It holds .*, which has half a character: no UTF-8 does\.$/);
  }
  expect(parse('"\\ud83d\\ude00"')).toBe("😀");
});

it("no key comes twice, in whatever form, and any key is one's own", () => {
  expect(() => parse('{"a":1,"b":2,"\\u0061":3}')).toThrow('It names "a" twice.');
  expect(() => parse('[{"a":{"a":1,"a":1}}]')).toThrow('It names "a" twice.');
  expect(parse('{"a":{"a":1},"b":{"a":2}}')).toEqual({ a: { a: 1 }, b: { a: 2 } });
  expect(Object.keys(parse('{"__proto__":1,"constructor":2}') as object)).toEqual([
    "__proto__",
    "constructor",
  ]);
});

describe("limits", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

  it.each([nested, objects])("127 deep is read, and 128 is refused", (make) => {
    expect(JSON.stringify(parse(make(127)))).toBe(make(127));
    for (const read of [parse, (text: string) => new JsonReader(text, "It").raw()]) {
      expect(() => read(make(128))).toThrow("It is nested more than 127 deep.");
    }
  });

  it("depth is that of what is open, however many lists and objects came before", () => {
    for (const piece of ["[]", "[1]", "{}", '{"a":1}', "[[],[]]"]) {
      const text = `[${Array(300).fill(piece).join()},${nested(126)}]`;
      expect(parse(text)).toEqual(JSON.parse(text));
    }
  });

  it("a million lists and objects are made, and no more", () => {
    const many = (count: number) => `[${"[],{},".repeat(count / 2 - 1)}[]]`;
    expect(parse(many(1e6))).toHaveLength(1e6 - 1);
    expect(() => parse(many(1e6 + 2))).toThrow("It holds more than 1000000 lists and objects.");
  });
});

describe("a size", () => {
  const sizeOf = (text: string) => {
    const reader = new JsonReader(text, "It");
    const size = reader.size();
    return [size, size === undefined ? reader.raw() : reader.peek()];
  };

  it.each([
    ["0", 0, ""],
    [" 7,", 7, ","],
    ["1024]", 1024, "]"],
    ["9007199254740991", Number.MAX_SAFE_INTEGER, ""],
    ["10 ", 10, ""],
  ])("is read from %s", (text, size, next) => {
    expect(sizeOf(text)).toEqual([size, next]);
  });

  it.each(["1.5", "1e3", "1E3", "-1", "9007199254740992", '"1"', "null", "[1]", "{}", "0.0", "-0"])(
    "is none, and %s is left",
    (text) => {
      expect(sizeOf(text)).toEqual([undefined, text]);
    },
  );

  it.each(["01", "00", "012"])("has no zero in front, as %s has", (text) => {
    expect(new JsonReader(text, "It").size()).toBeUndefined();
  });
});

it("an object is neither a list, nor nothing, nor another value", () => {
  expect([{}, { a: 1 }].map(isObject)).toEqual([true, true]);
  expect([[], null, undefined, "a", 1, true, () => {}].some(isObject)).toBe(false);
});
