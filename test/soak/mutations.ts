/** Changes of the structure of safetensors files, for the fuzzer of checkpoints. */
import { seeded } from "../support/kernels.ts";
import { split } from "../support/tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: headers of any form are what the fuzzer makes
type Any = any;

/** Random choices of one file, the same for the same seed. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
    // The first numbers of neighbouring seeds are alike.
    for (let i = 0; i < 8; i++) this.#next();
  }

  /** A whole number from 0 to before `limit`. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.below(1000) < 1000 * probability;
  }

  one<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!;
  }
}

/** Text of JSON that isn't what is wanted, or hardly. */
export const ODD = [
  ...'null true {} [] [[]] "" 0 -0 -1 1.0 1e0 0.5 1e999 NaN 01 9007199254740992 18446744073709551616'.split(
    " ",
  ),
  ...[
    '"__proto__"',
    '"F32"',
    '"\\ud800"',
    '"\\u0000"',
    "[1]",
    "[0,4]",
    '{"a":1,"a":2}',
    "[".repeat(200),
    "é",
  ],
  JSON.stringify("x".repeat(5000)),
];
const DTYPES = "F64 F32 F16 BF16 I64 U64 I32 U8 BOOL F4 F6_E2M3 F8_E4M3 C64 F33".split(" ");
const NAMES = [
  ..."w a.b c s state.w.step state.w.square_avg state.w.ema state.c.grad_avg state.w.momentum_buffer state.w.row_steps".split(
    " ",
  ),
  ...["__metadata__", "__proto__", "constructor", "", "x", "norm.running_mean", "\0", "é𝄞", "n".repeat(3000)],
];

/** The parts of a file that a mutation changes: members of the header, each with the text of its value, and the data. */
interface Draft {
  members: [name: string, value: string][];
  metadata: [name: string, value: string][] | undefined;
  data: Buffer;
  /** Bytes around the header. */
  before: string;
  behind: string;
  /** Added to the header's length. */
  lengthError: number;
}

export function draftOf(file: Uint8Array): Draft {
  const { json, data } = split(file);
  const { __metadata__: metadata, ...entries } = JSON.parse(json) as Any;
  return {
    members: Object.entries(entries).map(([name, value]) => [name, JSON.stringify(value)]),
    metadata: metadata && Object.entries(metadata),
    data: Buffer.from(data),
    before: "",
    behind: "",
    lengthError: 0,
  };
}

export function written({ members, metadata, data, before, behind, lengthError }: Draft): Buffer {
  const object = (list: readonly [string, string][]) =>
    `{${list.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;
  const texts = metadata?.map(([name, value]) => [name, JSON.stringify(value)] as [string, string]);
  const all: [string, string][] = texts ? [["__metadata__", object(texts)], ...members] : members;
  const header = Buffer.from(`${before}${object(all)}${behind}`);
  const length = Buffer.alloc(8);
  length.writeBigInt64LE(BigInt(header.length + lengthError));
  return Buffer.concat([length, header, data]);
}

/** Changes a member's value as parsed JSON, where it still is an object. */
function edited(draft: Draft, dice: Dice, edit: (entry: Any) => unknown): void {
  const member = dice.one(draft.members);
  if (!member) return;
  try {
    const entry = JSON.parse(member[1]);
    edit(entry);
    member[1] = JSON.stringify(entry);
  } catch {
    // An earlier mutation has made it something else.
  }
}

function editedOwn(draft: Draft, dice: Dice, edit: (own: Any) => unknown): void {
  const own = draft.metadata?.find(([name]) => name === "rmsprop-wasm");
  edited({ ...draft, members: own ? [own] : [] }, dice, edit);
}

const without = <Value>(list: Value[], dice: Dice) => list.splice(dice.below(list.length), 1);
const near = (dice: Dice) => dice.one([-8, -4, -2, -1, 1, 2, 4, 8, 2 ** 31, 2 ** 53, -(2 ** 53)]);

export const MUTATIONS: Readonly<Record<string, (draft: Draft, dice: Dice) => void>> = {
  "removes a tensor": ({ members }, dice) => void without(members, dice),
  "doubles a tensor": ({ members }, dice) => void members.push([...dice.one(members)!]),
  "renames a tensor": ({ members }, dice) => {
    dice.one(members)![0] = dice.one(NAMES);
  },
  "exchanges two names": ({ members }, dice) => {
    const [a, b] = [dice.one(members)!, dice.one(members)!];
    [a[0], b[0]] = [b[0], a[0]];
  },
  "adds an empty tensor": (draft, dice) => {
    const at = dice.below(draft.data.length + 1);
    const value = `{"dtype":"${dice.one(DTYPES)}","shape":[${dice.below(3)},0],"data_offsets":[${at},${at}]}`;
    draft.members.push([dice.one(NAMES), value]);
  },
  "adds a tensor": (draft, dice) => {
    const { length } = draft.data;
    const count = 1 + dice.below(4);
    const value = `{"dtype":"${dice.one(["F32", "I32", "U32"])}","shape":[${count}],"data_offsets":[${length},${length + 4 * count}]}`;
    draft.members.push([dice.one(NAMES), value]);
    draft.data = Buffer.concat([draft.data, Buffer.alloc(4 * count)]);
  },
  "makes a tensor something odd": ({ members }, dice) => {
    dice.one(members)![1] = dice.one(ODD);
  },
  "makes a field something odd": ({ members }, dice) => {
    const member = dice.one(members)!;
    const field = dice.one(["dtype", "shape", "data_offsets"]);
    member[1] = member[1].replace(
      new RegExp(`"${field}":("[^"]*"|\\[[^\\]]*\\])`),
      () => `"${field}":${dice.one(ODD)}`,
    );
  },
  "adds a field": ({ members }, dice) => {
    const member = dice.one(members)!;
    const name = dice.one(["stride", "dtype", "x", "__proto__"]);
    member[1] = member[1].replace(/\}$/, () => `,"${name}":${dice.one(ODD)}}`);
  },
  "removes a field": (draft, dice) => {
    const field = dice.one(["dtype", "shape", "data_offsets"]);
    edited(draft, dice, (entry) => delete entry[field]);
  },
  "changes a dtype": (draft, dice) =>
    edited(draft, dice, (entry) => {
      entry.dtype = dice.one(DTYPES);
    }),
  "changes a size": (draft, dice) =>
    edited(draft, dice, ({ shape }) => {
      shape[dice.below(shape.length + 1)] = dice.one([0, 1, 2, 3, 4, 6, 2 ** 31, 2 ** 53, -1, 0.5]);
    }),
  "reshapes a tensor": (draft, dice) =>
    edited(draft, dice, (entry) => {
      if (dice.chance(0.5)) entry.shape.reverse();
      else entry.shape.push(1);
    }),
  "shifts an offset": (draft, dice) =>
    edited(draft, dice, ({ data_offsets: offsets }) => {
      offsets[dice.below(2)] += near(dice);
    }),
  "shifts a tensor": (draft, dice) =>
    edited(draft, dice, (entry) => {
      const by = near(dice);
      entry.data_offsets = entry.data_offsets.map((offset: number) => offset + by);
    }),
  "exchanges two places": ({ members }, dice) => {
    const [a, b] = [dice.one(members)!, dice.one(members)!];
    [a[1], b[1]] = [b[1], a[1]];
  },
  "removes metadata": (draft, dice) => {
    if (dice.chance(0.2)) draft.metadata = undefined;
    else if (draft.metadata) without(draft.metadata, dice);
  },
  "makes metadata something odd": ({ metadata }, dice) => {
    if (metadata?.length) dice.one(metadata)[1] = dice.one(ODD);
  },
  "renames metadata": ({ metadata }, dice) => {
    if (!metadata?.length) return;
    const item = dice.one(metadata);
    const key = dice.one(["lr", "eps", "momentum", "centered", "x", "__proto__", "clip_norm", "initial_lr"]);
    item[0] = dice.one(["rmsprop-wasm", `param_groups.${dice.one(NAMES)}.${key}`, "param_groups.", "format"]);
  },
  "exchanges metadata": ({ metadata }, dice) => {
    if (!metadata?.length) return;
    const [a, b] = [dice.one(metadata), dice.one(metadata)];
    [a[1], b[1]] = [b[1], a[1]];
  },
  "adds metadata": (draft, dice) => {
    draft.metadata ??= [];
    const key = dice.one(["lr", "eps", "momentum", "centered", "x", "clip_norm", "bias_correction"]);
    draft.metadata.push([
      `param_groups.${dice.one(NAMES)}.${key}`,
      dice.one(["0.5", "true", "1e-50", ...ODD]),
    ]);
  },
  "makes a field of the package's metadata odd": (draft, dice) => {
    const own = draft.metadata?.find(([name]) => name === "rmsprop-wasm");
    if (!own) return;
    const values = [...own[1].matchAll(/-?\d+(\.\d+)?|"[^"\\]*"|\[[^[\]]*\]|true|false/g)];
    if (values.length === 0) return;
    const { index, 0: old } = dice.one(values);
    own[1] = own[1].slice(0, index) + dice.one(ODD) + own[1].slice(index + old.length);
  },
  regroups: (draft, dice) =>
    editedOwn(draft, dice, (own) => {
      const group = dice.one(own.groups as string[][]);
      if (dice.chance(0.3)) own.groups.push(group.splice(0, 1));
      else if (dice.chance(0.5)) group.push(dice.one(NAMES));
      else group.reverse();
    }),
  "declares what is carried": (draft, dice) =>
    editedOwn(draft, dice, (own) => {
      own.carried ??= { tensors: [], keys: [] };
      own.carried[dice.one(["tensors", "keys", "x"])] = dice.one<Any>([[dice.one(NAMES)], ["x"], [], 7, [7]]);
    }),
  "changes options": (draft, dice) =>
    editedOwn(draft, dice, (own) => {
      own.options[dice.one(["ema", "nonFinite", "globalClipNorm", "threads", "memory"])] = dice.one<Any>([
        ...[null, -1, 7, "throw", {}, { decay: 0.5 }, { decay: 2 }, { decay: 0.5, x: 1 }, []],
      ]);
    }),
  "changes a number of the data": ({ data, members }, dice) => {
    const [, value] = members.find(([name]) => name.endsWith(".step")) ?? dice.one(members)!;
    const at = Number(/"data_offsets":\[(\d+)/.exec(value)?.[1] ?? 0);
    if (at + 4 > data.length) return;
    data.writeFloatLE(dice.one([NaN, -1, 0.5, Infinity, 2 ** 31, 2 ** 31 - 128, 4, 0]), at);
  },
  "flips a bit": ({ data }, dice) => {
    if (data.length > 0) data[dice.below(data.length)]! ^= 1 << dice.below(8);
  },
  "cuts data off": (draft, dice) => {
    draft.data = draft.data.subarray(0, dice.below(draft.data.length + 1));
  },
  "adds data": (draft, dice) => {
    draft.data = Buffer.concat([draft.data, Buffer.alloc(1 + dice.below(9))]);
  },
  "puts something around the header": (draft, dice) => {
    draft[dice.one(["before", "behind"] as const)] = dice.one([
      " ",
      "\n\t ",
      "\0",
      "\ufeff",
      "x",
      "{}",
      " ".repeat(999),
    ]);
  },
  "mistakes the header's length": (draft, dice) => {
    draft.lengthError = near(dice);
  },
};

/** Mutations of bytes, as a bad disk or line makes them. */
export function damaged(file: Buffer, dice: Dice): Buffer {
  if (dice.chance(0.9)) return file;
  const at = dice.below(file.length + 1);
  const until = Math.min(at + 1 + dice.below(40), file.length);
  const kind = dice.below(3);
  if (kind === 0) return file.subarray(0, at);
  if (kind === 1) return Buffer.concat([file.subarray(0, at), file.subarray(until)]);
  const copy = Buffer.from(file);
  if (at < copy.length) copy[at] = dice.below(256);
  return copy;
}
