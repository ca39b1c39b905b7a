/** Files that aren't in the safetensors format, each with the place that its error must name. */
import { changed, data, entry, file, json, length, text } from "./saved-file.ts";
import { withHeader } from "./tensor-files.ts";

/** JSON that is nested a million deep. */
export const deep = `${"[".repeat(1e6)}${"]".repeat(1e6)}`;

export const HEADERS: [why: string, bytes: Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(0), "The file ends at byte 0, within the length of its header"],
  ["a length alone", file.subarray(0, 8), "The file ends at byte 8, within its header"],
  ["zeros", new Uint8Array(100), "The header is not JSON"],
  [
    "a header longer than the file",
    length(BigInt(file.length)),
    `The file ends at byte ${file.length}, within its header`,
  ],
  ["a header of 100 MB and one", length(100_000_001n), "Bytes 0 to 8: a header of 100000001 bytes"],
  ["a header of 2 ** 64 - 1 bytes", length(2n ** 64n - 1n), "Bytes 0 to 8: a header of 18446744073709551615"],
  ["a header that is too short", length(BigInt(json.length - 9)), "The header is not JSON"],
  ["no JSON", text(() => "{ not: json }"), "The header is not JSON"],
  ["JSON and more", text((json) => `${json.trimEnd()}{}`), "The header is not JSON"],
  ["an array", text((json) => `[${json}]`), 'The header is [{"__metadata__"'],
  ["a number", text(() => "12"), "The header is 12, expected a JSON object"],
  ["a byte order mark", text((json) => `\ufeff${json}`), "The header is not JSON"],
  [
    "no UTF-8",
    withHeader(Buffer.from(json.replace("pt", "\u00ff"), "latin1"), data),
    "The header is not in UTF-8",
  ],
  ["a deep header", withHeader(`{"a":${deep}}`, data), "The header is nested more than 127 deep"],
  ["a deep header that doesn't end", withHeader("[".repeat(1e6), data), "The header is nested more than 127"],
  ["a tensor twice", text((json) => json.replace('"w":', '"c":')), 'The header names "c" twice'],
  [
    "a tensor twice, escaped",
    text((json) => json.replace('"w":', '"\\u0063":')),
    'The header names "c" twice',
  ],
  [
    "a field twice",
    text((json) => json.replace('"dtype":"F32"', '"dtype":"F32","dtype":"F32"')),
    'The header names "dtype" twice',
  ],
  [
    "metadata twice",
    text((json) => json.replace("{", '{"__metadata__":{},')),
    'The header names "__metadata__" twice',
  ],
  [
    "metadata that are none",
    changed((h) => {
      h.__metadata__ = 7;
    }),
    "__metadata__: got 7",
  ],
  [
    "metadata that are a list",
    changed((h) => {
      h.__metadata__ = ["pt"];
    }),
    '__metadata__: got ["pt"]',
  ],
  [
    "metadata with null",
    changed((h) => {
      h.__metadata__.format = null;
    }),
    '__metadata__: got null for "format"',
  ],
  [
    "metadata with numbers",
    changed((h) => {
      h.__metadata__.format = 1;
    }),
    '__metadata__: got 1 for "format"',
  ],
  [
    "a tensor of null",
    changed((h) => {
      h.c = null;
    }),
    '"c": it is null, expected an object',
  ],
  [
    "a tensor that is a list",
    changed((h) => {
      h.c = [];
    }),
    '"c": it is []',
  ],
  ["a parameter of I32", entry("c", { dtype: "I32" }), '"c": dtype is I32, expected F32, F64, F16 or BF16'],
  ...["f32", "I4", "toString", "__proto__", null, 7].map((dtype): [string, Uint8Array, string] => [
    `dtype ${dtype}`,
    entry("c", { dtype }),
    `"c": dtype is ${JSON.stringify(dtype)}, expected F32, F64, F16, BF16, I8`,
  ]),
  ["no dtype", entry("c", { dtype: undefined }), '"c": dtype is missing'],
  ["no shape", entry("c", { shape: undefined }), '"c": shape is missing, expected whole numbers.'],
  [
    "no offsets",
    entry("c", { data_offsets: undefined }),
    '"c": data_offsets is missing, expected two whole numbers.',
  ],
  ["a number for a shape", entry("c", { shape: 7 }), '"c": shape is 7, expected whole numbers.'],
  [
    "a number for offsets",
    entry("c", { data_offsets: 7 }),
    '"c": data_offsets is 7, expected two whole numbers.',
  ],
  ["a shape for twice as many", entry("c", { shape: [2] }), "expected 8 bytes for its dtype and shape."],
  [
    "a shape twice",
    text((json) => json.replace('"shape":[1]', '"shape":[1],"shape":[1]')),
    'The header names "shape" twice',
  ],
  [
    "offsets twice",
    text((json) => json.replace('"data_offsets":', '"data_offsets":[0,4],"data_offsets":')),
    'The header names "data_offsets" twice',
  ],
  ...["a.k3", "a.k39"].map((key): [string, Uint8Array, string] => {
    const keys = Array.from({ length: 40 }, (_, i) => `"a.k${i}":"v"`);
    return [
      `${key} twice among many keys`,
      withHeader(`{"__metadata__":{${keys.join()},"${key}":"v"}}`, new Uint8Array(0)),
      `The header names "${key}" twice`,
    ];
  }),
  [
    "a number in metadata",
    withHeader('{"__metadata__":{"a":7}}', new Uint8Array(0)),
    '__metadata__: got 7 for "a", expected a string.',
  ],
  [
    "a number for metadata",
    withHeader('{"__metadata__":7}', new Uint8Array(0)),
    '__metadata__: got 7 for "__metadata__", expected an object of strings.',
  ],
  ["JSON that ends early", text(() => '{"a":'), "The header is not JSON: unexpected end at character"],
  [
    "words for JSON",
    withHeader("{ not: json of many letters }", data),
    'The header is not JSON: unexpected "not: json of many le" at character 2.',
  ],
  ["an empty shape", entry("c", { shape: [0] }), '"c": data_offsets is '],
  ...[-1, 1.5, 1e300].flatMap((size): [string, Uint8Array, string][] => [
    [`a size of ${size}`, entry("c", { shape: [size] }), `"c": shape holds ${size}`],
    [`an offset of ${size}`, entry("c", { data_offsets: [size, 4] }), `"c": data_offsets holds ${size}`],
  ]),
  ...["1.0", "1e0", "-0", "18446744073709551616"].flatMap((size): [string, Uint8Array, string][] => [
    [
      `a size written as ${size}`,
      text((json) => json.replace('"shape":[1]', `"shape":[${size}]`)),
      `shape holds ${size}, expected whole numbers in digits alone`,
    ],
    [
      `an offset written as ${size}`,
      text((json) => json.replace(/"data_offsets":\[0/, `"data_offsets":[${size}`)),
      `data_offsets holds ${size}`,
    ],
  ]),
  ...[["1"], [null], [[1]], [true]].map((shape): [string, Uint8Array, string] => [
    `shape ${JSON.stringify(shape)}`,
    entry("c", { shape }),
    `"c": shape holds ${JSON.stringify(shape[0])}, expected whole numbers`,
  ]),
  ...["1", null, { 0: 1 }].map((shape): [string, Uint8Array, string] => [
    `shape ${JSON.stringify(shape)}`,
    entry("c", { shape }),
    '"c": shape is ',
  ]),
  ["a shape of another count", entry("c", { shape: [2] }), '"c": data_offsets is '],
  ["a shape of 2 ** 54", entry("c", { shape: [2 ** 27, 2 ** 27] }), '"c": data_offsets is '],
  [
    "a shape of 2 ** 64",
    entry("c", { shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] }),
    '"c": shape is [4294967296, 4294967296], expected fewer elements than 2 ** 64',
  ],
  [
    "a shape beyond all",
    entry("c", { shape: Array(40).fill(2 ** 30) }),
    "expected fewer elements than 2 ** 64",
  ],
  ["the largest size", entry("c", { shape: [2 ** 53 - 1] }), '"c": data_offsets is '],
  ["a size beyond safe integers", entry("c", { shape: [2 ** 53] }), '"c": shape holds 9007199254740992'],
  ["an offset in text", entry("c", { data_offsets: ["0", "4"] }), '"c": data_offsets holds "0"'],
  ...[[0], [0, 4, 8], [4, 0], null, 4, {}].map((offsets): [string, Uint8Array, string] => [
    `offsets ${JSON.stringify(offsets)}`,
    entry("c", { data_offsets: offsets }),
    '"c": data_offsets is ',
  ]),
  ["another dtype for as many bytes", entry("c", { dtype: "F16" }), '"c": data_offsets is '],
  [
    "tensors that overlap",
    changed((h) => {
      h.c.data_offsets = h.b.data_offsets.map((x: number, i: number) => x + [0, -4][i]!);
    }),
    "overlaps the tensor before it",
  ],
  [
    "a hole",
    changed((h) => {
      delete h.w;
    }),
    "leaves a hole before it",
  ],
  [
    "a hole before all",
    changed((h) => {
      delete h["state.w.step"];
    }),
    "leaves a hole before it",
  ],
  ["tensors beyond the end", withHeader(json, data.subarray(4)), "was it cut short, or joined?"],
  ["bytes behind the end", Buffer.concat([file, Buffer.of(0)]), "The file ends later, and its tensors at"],
  [
    "a tensor more",
    changed((h) => {
      h.z = { dtype: "F32", shape: [1], data_offsets: h.c.data_offsets };
      delete h.c;
    }),
    "z",
  ],
];
