/**
 * The layout of PyTorch's flattened state, which its tools and `python/` read:
 *
 *     w                                                            a parameter, by its name
 *     state.w.step  .square_avg  .momentum_buffer  .grad_avg  .ema  its state; steps are the same for all
 *     metadata, param_groups.w.lr  .alpha  …                       hyperparameters in JSON, those of a group with each
 *     metadata, rmsprop-wasm                                       all that PyTorch has no key for, in JSON
 */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { GroupState, StateDict } from "../optimizer/state-dict.ts";
import type { Hyperparameters } from "../options/hyperparameters.ts";
import type { KeyOf } from "./keys.ts";
import { hyperparametersFrom, hyperparametersToJson, STATE_KEYS } from "./pytorch-names.ts";
import { type Header, isObject, parseJson } from "./safetensors.ts";

/** Goes up when a reader of today would misread a file. */
const FILE_VERSION = 1;
const OURS = "rmsprop-wasm";
const GROUPS = "param_groups.";

export const flattenedKey: KeyOf = ({ name, what }) =>
  what === "param" ? name : `state.${name}.${STATE_KEYS[what]}`;

/** A file's metadata, read and checked. */
export interface Annotations {
  readonly skippedSteps: number;
  /** Whether some learning rate was a function, which a file can't hold: it has the rate of the last step. */
  readonly isScheduled: boolean;
  /** The names of each group; empty in a file by others. */
  readonly groups: readonly (readonly string[])[];
  readonly options: StateDict["options"];
  /** Hyperparameters by the name of the parameter. */
  readonly hyperparameters: ReadonlyMap<string, Partial<Hyperparameters>>;
}

export function annotate(
  { groups, skippedSteps, options }: StateDict,
  isScheduled: boolean,
): Map<string, string> {
  const names = groups.map(({ params }) => params);
  const ours = { version: FILE_VERSION, skippedSteps, isScheduled, groups: names, options };
  const hyperparameters = groups.flatMap((group) =>
    group.params.flatMap((name) =>
      [...hyperparametersToJson(group, "all")].map(
        ([key, json]) => [`${GROUPS}${name}.${key}`, json] as const,
      ),
    ),
  );
  // HuggingFace's libraries ask for "format".
  return new Map([["format", "pt"], [OURS, JSON.stringify(ours)], ...hyperparameters]);
}

export function annotationsOf({ metadata }: Header): Annotations {
  const own = ownOf(metadata.get(OURS));
  const values = new Map<string, Record<string, unknown>>(own.groups.flat().map((name) => [name, {}]));
  for (const [place, json] of metadata) {
    if (!place.startsWith(GROUPS)) continue;
    // Names may have dots in them, hyperparameters have none.
    const dot = place.lastIndexOf(".");
    const name = place.slice(GROUPS.length, dot);
    const value = parseJson(json, `Metadata ${place}`);
    values.set(name, { ...values.get(name), [place.slice(dot + 1)]: value });
  }
  const isOurs = own.groups.length > 0;
  const hyperparameters = [...values].map(
    ([name, given]) => [name, hyperparametersFrom(given, `Metadata ${GROUPS}${name}.`, isOurs)] as const,
  );
  return { ...own, hyperparameters: new Map(hyperparameters) };
}

function ownOf(json: string | undefined): Omit<Annotations, "hyperparameters"> {
  if (json === undefined) return { skippedSteps: 0, isScheduled: false, groups: [], options: undefined };
  const own = parseJson(json, `Metadata ${OURS}`);
  const refuse = (what: string, given: unknown, wanted: string): never => {
    throw new CheckpointError(`Metadata ${OURS}: ${what} is ${show(given)}, expected ${wanted}.`);
  };
  if (!isObject(own)) return refuse("it", own, "an object");
  const { version, skippedSteps, isScheduled, groups, options } = own;
  if (version !== FILE_VERSION) {
    refuse("version", version, `${FILE_VERSION}: a newer rmsprop-wasm may read it`);
  }
  const areNames = (value: unknown) =>
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
  if (!Array.isArray(groups) || groups.length === 0 || !groups.every(areNames)) {
    return refuse("groups", groups, "lists of names");
  }
  if (typeof isScheduled !== "boolean") return refuse("isScheduled", isScheduled, "true or false");
  if (!isObject(options)) return refuse("options", options, "an object");
  const { globalClipNorm, nonFinite, ema, ...others } = options;
  for (const key of Object.keys(others)) refuse("an option", key, "globalClipNorm, nonFinite or ema");
  return {
    // The optimizer checks skippedSteps and the options.
    skippedSteps: skippedSteps as number,
    // Infinity, for no clipping, isn't JSON.
    options: { nonFinite, ema, globalClipNorm: globalClipNorm ?? Infinity } as Annotations["options"],
    isScheduled,
    groups,
  };
}

/** Adds the file's hyperparameters to the groups. */
export function annotated(groups: readonly GroupState[], { hyperparameters }: Annotations): GroupState[] {
  const names = groups.flatMap(({ params }) => params);
  for (const name of hyperparameters.keys()) {
    if (!names.includes(name)) {
      throw new CheckpointError(`Metadata ${GROUPS}${name}: there is no parameter of this name.`);
    }
  }
  for (const name of hyperparameters.size > 0 ? names : []) {
    if (!hyperparameters.has(name)) throw new CheckpointError(`Metadata ${GROUPS}${name} is missing.`);
  }
  return groups.map((group) => {
    const [first, ...others] = group.params;
    const common = hyperparameters.get(first!);
    const other = others.find((name) => textOf(hyperparameters.get(name)) !== textOf(common));
    if (other !== undefined) {
      throw new CheckpointError(
        `Metadata ${GROUPS}${other}: differs from that of ${show(first)}, and they are in one group.`,
      );
    }
    return { ...group, ...common };
  });
}

/** The groups that a file names; in a file by others, parameters with equal hyperparameters make a group. */
export function groupsOf({ entries }: Header, annotations: Annotations): GroupState[] {
  const { groups, hyperparameters } = annotations;
  const state = new RegExp(`^state\\..*\\.(${Object.values(STATE_KEYS).join("|")})$`, "s");
  const alike = new Map<string, string[]>();
  for (const { name } of groups.length > 0 ? [] : entries) {
    if (state.test(name)) continue;
    const text = textOf(hyperparameters.get(name));
    alike.set(text, [...(alike.get(text) ?? []), name]);
  }
  const names = groups.length > 0 ? groups : [...alike.values()];
  return annotated(
    names.map((params) => ({ params })),
    annotations,
  );
}

/** A text that is equal for equal hyperparameters, in any order. */
function textOf(hyperparameters: Partial<Hyperparameters> | undefined): string {
  return JSON.stringify(Object.entries(hyperparameters ?? {}).sort());
}
