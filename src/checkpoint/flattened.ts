/**
 * The layout of PyTorch's flattened state, which its tools and `python/` read:
 *
 *     w                                                            a parameter, by its name
 *     state.w.step  .square_avg  .momentum_buffer  .grad_avg  .ema  .z  .moved  its state; steps are the same for all
 *     metadata, param_groups.w.lr  .alpha  …                       hyperparameters in JSON, those of a group with each
 *     metadata, rmsprop-wasm                                       all that PyTorch has no key for, in JSON
 *
 * A file with the last of these is of this package, and has nothing but what that names: anything else is an error. In files by
 * others, whatever isn't asked for is passed over.
 */

import type { FloatArray } from "../base/real.ts";
import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { GroupState, StateDict } from "../optimizer/state-dict.ts";
import type { Carried } from "./carried.ts";
import type { Entry } from "./entry.ts";
import { isObject, parseJson } from "./json.ts";
import type { KeyOf } from "./keys.ts";
import type { Pairs } from "./metadata.ts";
import {
  GROUP_KEYS,
  type GroupRecord,
  hyperparametersFrom,
  hyperparametersToJson,
  STATE_KEYS,
} from "./pytorch-names.ts";
import type { Header } from "./safetensors.ts";

/** Goes up when a reader of today would misread a file. */
const FILE_VERSION = 1;
const OURS = "rmsprop-wasm";
const GROUPS = "param_groups.";
/**
 * The largest group of whose parameters each has a record of its own, as PyTorch's flattened state has it. A record takes
 * 900 bytes: with them, the headers of 100,000 tensors were over the format's limit, and took seconds to write and to read.
 * In larger groups the others are as the first one is, unless they have a record.
 */
const MOST_RECORDS = 1000;

export const flattenedKey: KeyOf = ({ name, what }) =>
  what === "param" ? name : `state.${name}.${STATE_KEYS[what]}`;

/** The names that a file of this package has beside the optimizer's. */
interface CarriedNames {
  readonly tensors: readonly string[];
  readonly keys: readonly string[];
}

/** The metadata that a file of this package has about itself. */
interface Own {
  readonly skippedSteps: number;
  /** Whether some learning rate was a function, which a file can't hold: it has the rate of the last step. */
  readonly isScheduled: boolean;
  /** The names of each group. */
  readonly groups: readonly (readonly string[])[];
  readonly learned: StateDict["learned"];
  readonly options: StateDict["options"];
  readonly carried: CarriedNames;
}

/** A file's metadata, read and checked. */
export interface Annotations {
  /** Undefined in a file by others. */
  readonly own: Own | undefined;
  /** The record of each parameter's group, by the parameter's name. */
  readonly records: ReadonlyMap<string, Pairs>;
}

/** The JSON of a file's metadata. Text from the start: an object of a million keys took five times as long. */
export function annotate(
  { groups, steps, skippedSteps, learned, options }: StateDict<string, FloatArray>,
  isScheduled: boolean,
  { tensors, keys }: Carried,
): string {
  const names = groups.map(({ params }) => params);
  const own = { version: FILE_VERSION, skippedSteps, isScheduled, groups: names, learned, options };
  const others = new Set([...keys.values()].flatMap((record) => [...record.keys()]));
  for (const key of GROUP_KEYS) others.delete(key);
  const carried = { tensors: [...tensors.keys()], keys: [...others] };
  const carriesNothing = carried.tensors.length === 0 && carried.keys.length === 0;
  const json = JSON.stringify(carriesNothing ? own : { ...own, carried });
  // HuggingFace's libraries ask for "format".
  const members = ['"format":"pt"', `"${OURS}":${JSON.stringify(json)}`];
  for (const group of groups) {
    const common = endingsOf(hyperparametersToJson(group, "all", steps));
    const isLarge = group.params.length > MOST_RECORDS;
    const [first] = group.params;
    for (const name of group.params) {
      const more = keys.get(name);
      if (isLarge && name !== first && more === keys.get(first!)) continue;
      const endings = more ? endingsOf(hyperparametersToJson(group, "all", steps, more)) : common;
      const start = `"${GROUPS}${JSON.stringify(name).slice(1, -1)}.`;
      members.push(start + endings.join(`,${start}`));
    }
  }
  return `{${members.join()}}`;
}

/**
 * The members of a group's record without their begin, which has the parameter's name. The reader takes the last dot for
 * that between name and key, so that keys with dots are left out; PyTorch's own have none.
 */
function endingsOf(record: GroupRecord): string[] {
  return [...record]
    .filter(([key]) => !key.includes("."))
    .map(([key, json]) => `${JSON.stringify(key).slice(1)}:${JSON.stringify(json)}`);
}

export function annotationsOf({ metadata }: Header): Annotations {
  const json = metadata.get(OURS);
  const given = new Map(metadata.recordsOf(GROUPS));
  if (json === undefined) return { own: undefined, records: given };
  const records = new Map<string, Pairs>();
  const own = ownOf(json, given, records);
  for (const [name, pairs] of given) records.set(name, pairs);
  return { own, records };
}

const areStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === "string");

/** Reads what a file says about itself, and adds the record of each parameter that it names. */
function ownOf(json: string, given: ReadonlyMap<string, Pairs>, records: Map<string, Pairs>): Own {
  const own = parseJson(json, `Metadata ${OURS}`);
  const refuse = (what: string, given: unknown, wanted: string): never => {
    throw new CheckpointError(`Metadata ${OURS}: ${what} is ${show(given)}, expected ${wanted}.`);
  };
  if (!isObject(own)) return refuse("it", own, "an object");
  const { version, skippedSteps, isScheduled, groups, learned, options } = own;
  const { carried = { tensors: [], keys: [] } } = own;
  if (version !== FILE_VERSION) {
    refuse("version", version, `${FILE_VERSION}: a newer rmsprop-wasm may read it`);
  }
  const areNames = (value: unknown) => areStrings(value) && value.length > 0;
  if (!Array.isArray(groups) || groups.length === 0 || !groups.every(areNames)) {
    return refuse("groups", groups, "lists of names");
  }
  for (const names of groups as string[][]) {
    const others = (names.length > MOST_RECORDS && given.get(names[0]!)) || [];
    for (const name of names) records.set(name, given.get(name) ?? others);
  }
  if (records.size < groups.flat().length) refuse("groups", groups, "each name once");
  if (typeof isScheduled !== "boolean") return refuse("isScheduled", isScheduled, "true or false");
  if (!isObject(carried) || !areStrings(carried.tensors) || !areStrings(carried.keys)) {
    return refuse("carried", carried, "lists of names, as { tensors, keys }");
  }
  if (!isObject(options)) return refuse("options", options, "an object");
  const { globalClipNorm, nonFinite, ema, scheduleFree, lr, ...others } = options;
  for (const key of Object.keys(others))
    refuse("an option", key, "globalClipNorm, nonFinite, ema, scheduleFree or lr");
  return {
    // The optimizer checks skippedSteps and the options.
    skippedSteps: skippedSteps as number,
    // Infinity, for no clipping, isn't JSON.
    learned: learned as Own["learned"],
    options: {
      nonFinite,
      ema,
      scheduleFree,
      lr,
      globalClipNorm: globalClipNorm ?? Infinity,
    } as Own["options"],
    isScheduled,
    groups,
    carried: carried as unknown as CarriedNames,
  };
}

/** Groups with the hyperparameters of a file, and the further keys of their records by the name of the parameter. */
export interface AnnotatedGroups {
  readonly groups: GroupState[];
  readonly keys: Carried["keys"];
}

/** Adds the file's hyperparameters to the groups. */
export function annotated(groups: readonly GroupState[], { own, records }: Annotations): AnnotatedGroups {
  const keys = new Map<string, ReadonlyMap<string, string>>();
  const read = reader(own?.carried.keys);
  const names = own && new Set(groups.flatMap(({ params }) => params));
  for (const name of names ? records.keys() : []) {
    if (!names!.has(name)) {
      throw new CheckpointError(`Metadata ${GROUPS}${name}: there is no parameter of this name.`);
    }
  }
  const annotatedGroups = groups.map((group) => {
    let common: { name: string; text: string; values: Partial<GroupState> } | undefined;
    for (const name of group.params) {
      const record = records.get(name);
      if (!record) {
        if (own) throw new CheckpointError(`Metadata ${GROUPS}${name} is missing.`);
        continue;
      }
      const { text, values, others } = read(name, record);
      if (others.size > 0) keys.set(name, others);
      common ??= { name, text, values };
      if (text !== common.text) {
        throw new CheckpointError(
          `Metadata ${GROUPS}${name}: differs from that of ${show(common.name)}, and they are in one group.`,
        );
      }
    }
    return { ...group, ...common?.values };
  });
  return { groups: annotatedGroups, keys };
}

/** The groups that a file names; in a file by others, parameters with equal hyperparameters make a group. */
export function groupsOf(header: Header, annotations: Annotations): AnnotatedGroups {
  const { own, records } = annotations;
  if (own) {
    return annotated(
      own.groups.map((params) => ({ params })),
      annotations,
    );
  }
  const params = trainedIn(header, records);
  if (params.length === 0) {
    throw new CheckpointError(
      "The file has no parameters: expected tensors of F32, F64, F16 or BF16, with elements.",
    );
  }
  const alike = new Map<string, string[]>();
  const read = reader(undefined);
  for (const { name } of params) {
    const text = records.has(name) ? read(name, records.get(name)!).text : "";
    const group = alike.get(text);
    if (group) group.push(name);
    else alike.set(text, [name]);
  }
  return annotated(
    [...alike.values()].map((params) => ({ params })),
    annotations,
  );
}

/**
 * The parameters of a file by others. Records name them; without any, all that have state are parameters; and in a file of
 * weights alone all that may be, except the averages of batch norm, which its count of batches gives away. Without a name
 * none is.
 */
function trainedIn(header: Header, records: Annotations["records"]): Entry[] {
  const { entries, byName } = header;
  if (records.size > 0) {
    // PyTorch's parameters may be empty; there is nothing to train in those.
    return entries.filter(({ name, count }) => name !== "" && count > 0 && records.has(name));
  }
  const isState = stateTest(header);
  const mayBe = entries.filter(
    ({ name, dtype, count }) => name !== "" && dtype.isFloat && count > 0 && !isState(name),
  );
  const trained = mayBe.filter(({ name }) => byName.has(`state.${name}.${STATE_KEYS.squareAvg}`));
  if (trained.length > 0) return trained;
  return mayBe.filter(({ name }) => {
    const averaged = /^(.*\.)?running_(mean|var)$/s.exec(name);
    return !averaged || !byName.has(`${averaged[1] ?? ""}num_batches_tracked`);
  });
}

/**
 * Reads the records of parameters. Thousands of them may be the same, and are parsed once.
 *
 * @param carried The further keys that a file of this package names; undefined in files by others, whose records are open.
 */
function reader(carried: readonly string[] | undefined) {
  type Result = ReturnType<typeof hyperparametersFrom> & { text: string };
  const cache = new Map<string, Result>();
  let last: { pairs: Pairs; read: Result } | undefined;
  return (name: string, pairs: Pairs) => {
    if (last && isSame(last.pairs, pairs)) return last.read;
    const record = new Map<string, string>();
    for (let i = 0; i < pairs.length; i += 2) record.set(pairs[i]!, pairs[i + 1]!);
    const id = JSON.stringify([...record].sort());
    const read = cache.get(id) ?? readRecord(name, record);
    cache.set(id, read);
    last = { pairs, read };
    return read;
  };

  function readRecord(name: string, record: GroupRecord): Result {
    const { values, others } = hyperparametersFrom(
      record,
      `Metadata ${GROUPS}${name}.`,
      carried !== undefined,
    );
    for (const key of carried ? others.keys() : []) {
      if (!carried!.includes(key) && !GROUP_KEYS.includes(key)) {
        throw new CheckpointError(
          `Metadata ${GROUPS}${name}.${key}: expected one of ${GROUP_KEYS.join(", ")}.`,
        );
      }
    }
    // Equal for equal hyperparameters, in any order.
    return { values, others, text: JSON.stringify(Object.entries(values).sort()) };
  }
}

function isSame(a: Pairs, b: Pairs): boolean {
  return a === b || (a.length === b.length && a.every((text, i) => text === b[i]));
}

/** Tells the state of a file's tensors from tensors, also where it is another optimizer's. */
export function stateTest({ byName }: Header): (name: string) => boolean {
  const known = new RegExp(`^state\\..*\\.(${Object.values(STATE_KEYS).join("|")})$`, "s");
  const ofState = /^state\.(.*)\.[^.]*$/s;
  return (name) => {
    const owner = ofState.exec(name)?.[1];
    return known.test(name) || (owner !== undefined && byName.has(owner));
  };
}

/** The names of tensors that a file of this package may hold beside the optimizer's; undefined for files by others. */
export function declaredIn({ own }: Annotations): ReadonlySet<string> | undefined {
  return own && new Set(own.carried.tensors);
}
