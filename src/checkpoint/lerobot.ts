/**
 * The layout of HuggingFace's LeRobot (`save_optimizer_state` of its `lerobot.optim`): state by a parameter's place among
 * all, counted from 0, as `state/0/square_avg`, and the groups in a file of JSON.
 */

import { cut, show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { GroupState } from "../optimizer/state-dict.ts";
import {
  type AnyOptimizer,
  type Carried,
  type CarriedTensor,
  carriedBy,
  carriedSources,
  carry,
  checkIsOptimizer,
} from "./carried.ts";
import { stateTest } from "./flattened.ts";
import { JsonReader, parseJson } from "./json.ts";
import { findParts, type KeyOf, type Part, partsOf, type Read, sourcesOf, stateFrom } from "./keys.ts";
import { carriedIn } from "./loader.ts";
import { isBehind } from "./missed-rows.ts";
import { hyperparametersFrom, hyperparametersToJson, STATE_KEYS, unknownToPyTorch } from "./pytorch-names.ts";
import { concatenated, fileParts, type Header, openFile, type Source } from "./safetensors.ts";

/** The files of an optimizer, by LeRobot's names for them. */
export interface LeRobotFiles {
  /** The state of each parameter, by its place among all. */
  readonly "optimizer_state.safetensors": Uint8Array;
  /** Hyperparameters and places of each group. */
  readonly "optimizer_param_groups.json": string;
  /** The parameters, by name. */
  readonly "model.safetensors"?: Uint8Array | undefined;
}

const isParameter = ({ what }: Part) => what === "param";
/** The counts of rows stay away: steps in PyTorch are of all rows, and would leave the counts behind. */
const isState = (part: Part) => !isParameter(part) && part.what !== "rowSteps";

/**
 * Gives the files of an optimizer as LeRobot writes and reads them. The numbers of groups are written as floats: LeRobot's
 * reader refuses an integer in place of a float.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { saveLeRobot } from "rmsprop-wasm/checkpoint";
 *
 * const files = saveLeRobot(new RMSprop({ w: [2] }, { momentum: 0.9 }));
 * Object.keys(files); // → ["optimizer_state.safetensors", "optimizer_param_groups.json", "model.safetensors"]
 * ```
 *
 * @throws CheckpointError for hyperparameters and options that `torch.optim.RMSprop` doesn't have, and for rows that steps by
 * rows have left behind: call `catchUp` first.
 * @throws SwappedError while the averages stand in for the parameters.
 */
export function saveLeRobot(optimizer: AnyOptimizer): Required<LeRobotFiles>;
export function saveLeRobot(optimizer: AnyOptimizer, ...others: unknown[]): Required<LeRobotFiles> {
  checkIsOptimizer(optimizer, "saveLeRobot", others);
  // Spread, since each read of `tensors` would make them anew.
  const dict = { ...optimizer.stateViews() };
  const carried = carriedBy(optimizer);
  const option = dict.learned ? 'lr: "auto"' : dict.options?.scheduleFree && "scheduleFree";
  for (const unknown of [...dict.groups.map(unknownToPyTorch), option ? [option] : []]) {
    if (unknown.length > 0) {
      throw new CheckpointError(
        `PyTorch's RMSprop, which LeRobot uses, has no ${unknown.join(", ")}: leave it out, or use save.`,
      );
    }
  }
  const counted = dict.groups.flatMap(({ sparse, params }) => (sparse === "lazy" ? [] : params));
  const behind = counted.find((name) => isBehind(dict.tensors[name]!.rowSteps, dict.steps));
  if (behind !== undefined) {
    throw new CheckpointError(
      `${show(behind)} has rows that are behind, which PyTorch's RMSprop would leave so: call catchUp() first, or use save.`,
    );
  }
  const places = new Map(dict.groups.flatMap(({ params }) => params).map((name, i) => [name, i]));
  const keyOf = keyBy(places);
  const parts = partsOf(dict.groups, dict.options);
  const file = (of: (part: Part) => boolean, more: readonly Source[]) => {
    const sources = [...sourcesOf(dict, parts.filter(of), keyOf), ...more];
    return concatenated(fileParts(sources, '{"format":"pt"}'));
  };
  const groups = dict.groups.map((group) => {
    const record = hyperparametersToJson(group, "pytorch", dict.steps, carried.keys.get(group.params[0]!));
    // Further keys may come from a file with other text in its metadata than JSON.
    const entries = [...record]
      .filter(([, json]) => isJson(json))
      .map(([key, json]) => `${JSON.stringify(key)}: ${json}`);
    const indices = group.params.map((name) => places.get(name));
    return `{ ${entries.join(", ")}, "params": ${JSON.stringify(indices)} }`;
  });
  return {
    "optimizer_state.safetensors": file(isState, []),
    "optimizer_param_groups.json": `[\n  ${groups.join(",\n  ")}\n]\n`,
    "model.safetensors": file(isParameter, carriedSources(carried)),
  };
}

/**
 * Fills an optimizer from such files, all of it or nothing. The optimizer's groups must be those of the files, in the same
 * order; the tensors too, unless PyTorch has written their names. Without `model.safetensors`, the parameters stay as they
 * are. A parameter without state, as one that never had a gradient, starts anew.
 *
 * @example
 * ```ts
 * import { RMSprop } from "rmsprop-wasm";
 * import { restoreLeRobot, saveLeRobot } from "rmsprop-wasm/checkpoint";
 *
 * const optimizer = new RMSprop({ w: [2] }, { momentum: 0.9 });
 * restoreLeRobot(optimizer, saveLeRobot(new RMSprop({ w: new Float32Array([3, 4]) }, { lr: 0.5 })));
 * optimizer.params.w; // → [3, 4]
 * optimizer.groups[0].lr; // → 0.5
 * ```
 *
 * @throws CheckpointError for files that are malformed, or of another optimizer.
 * @throws OptionError, MemoryError, SwappedError as `restore` does.
 */
export function restoreLeRobot(optimizer: AnyOptimizer, files: LeRobotFiles): void;
export function restoreLeRobot(optimizer: AnyOptimizer, files: LeRobotFiles, other?: unknown): void {
  checkIsOptimizer(optimizer, "restoreLeRobot", [other]);
  const own = optimizer.stateViews();
  const places = new Map<string, number>();
  const { groups, keys } = groupsFrom(files?.["optimizer_param_groups.json"], own.groups, places);
  const keyOf = keyBy(places);
  const parts = partsOf(groups, own.options);
  const state = openFile(files["optimizer_state.safetensors"]);
  const read: Read[] = [{ ...state, ...findIn(state.header, isState) }];
  let tensors: ReadonlyMap<string, CarriedTensor> = carriedBy(optimizer).tensors;
  if (files["model.safetensors"]) {
    const model = openFile(files["model.safetensors"]);
    const { findings } = findIn(model.header, isParameter);
    read.push({ ...model, findings });
    // Under the name of some state, save couldn't write them.
    const isNameOfState = stateTest(model.header);
    const others = findings.others.filter(({ name }) => !isNameOfState(name));
    tensors = carriedIn(model.bytes, others);
  }
  const dict = stateFrom(read, groups, false, own.tensors);
  optimizer.loadStateDict({ version: 1, skippedSteps: 0, learned: own.learned, ...dict });
  carry(optimizer, { tensors, keys });

  function findIn(header: Header, of: (part: Part) => boolean) {
    return { findings: findParts(header, parts.filter(of), keyOf) };
  }
}

function isJson(text: string): boolean {
  try {
    parseJson(text, "");
    return true;
  } catch {
    return false;
  }
}

function keyBy(places: ReadonlyMap<string, number>): KeyOf {
  return ({ name, what }) => (what === "param" ? name : `state/${places.get(name)}/${STATE_KEYS[what]}`);
}

/** Gives the optimizer's groups with the file's hyperparameters, and puts the place of each tensor into `places`. */
function groupsFrom(
  text: unknown,
  own: readonly GroupState[],
  places: Map<string, number>,
): { groups: GroupState[]; keys: Carried["keys"] } {
  const where = "optimizer_param_groups.json";
  const records = recordsFrom(String(text), where);
  if (records.length !== own.length) {
    throw new CheckpointError(
      `${where}: got ${records.length} groups, expected a list of ${own.length} groups.`,
    );
  }
  const keys = new Map<string, ReadonlyMap<string, string>>();
  const read = own.map((group, i) => {
    const record = records[i]!;
    const listOf = (key: string) =>
      record.has(key) ? parseJson(record.get(key)!, `${where}[${i}].${key}`) : undefined;
    const params = listOf("params");
    const names = listOf("param_names") ?? group.params;
    const fits = (list: unknown): list is unknown[] =>
      Array.isArray(list) && list.length === group.params.length;
    const given = new Set(fits(names) ? names : []);
    if (!fits(params) || !fits(names) || !group.params.every((name) => given.has(name))) {
      throw new CheckpointError(
        `${where}[${i}]: got params ${show(params)}, expected ${group.params.length}: ${cut(group.params.join(", "))}.`,
      );
    }
    names.forEach((name, k) => {
      places.set(name as string, params[k] as number);
    });
    record.delete("params");
    record.delete("param_names");
    const { values, others } = hyperparametersFrom(record, `${where}[${i}].`, false);
    if (others.size > 0) for (const name of group.params) keys.set(name, others);
    return { ...group, ...values };
  });
  const taken = new Set(places.values());
  if (taken.size < places.size) {
    throw new CheckpointError(`${where}: two parameters have one place, expected each place once.`);
  }
  return { groups: read, keys };
}

/** The JSON of each value of each group: numbers keep their form, since LeRobot tells 3 from 3.0. */
function recordsFrom(text: string, where: string): Map<string, string>[] {
  const records: Map<string, string>[] = [];
  const reader = new JsonReader(text, where);
  if (reader.peek() !== "[") {
    throw new CheckpointError(`${where}: got ${cut(reader.raw())}, expected a list of groups.`);
  }
  reader.items(() => {
    const record = new Map<string, string>();
    if (reader.peek() !== "{") {
      throw new CheckpointError(`${where}[${records.length}]: got ${cut(reader.raw())}, expected an object.`);
    }
    reader.members((key) => record.set(key, reader.raw()));
    records.push(record);
  });
  reader.end();
  return records;
}
