/**
 * The layout of HuggingFace's LeRobot (`save_optimizer_state` of its `lerobot.optim`): state by a parameter's place among
 * all, counted from 0, as `state/0/square_avg`, and the groups in a file of JSON.
 */

import { show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import type { Params } from "../optimizer/params.ts";
import type { GroupState } from "../optimizer/state-dict.ts";
import { findParts, type KeyOf, type Part, partsOf, sourcesOf, stateFrom } from "./keys.ts";
import { hyperparametersFrom, hyperparametersToJson, STATE_KEYS, unknownToPyTorch } from "./pytorch-names.ts";
import { concatenated, fileParts, isObject, openFile, parseJson } from "./safetensors.ts";

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
const isState = (part: Part) => !isParameter(part);

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
 * @throws CheckpointError for hyperparameters that `torch.optim.RMSprop` doesn't have.
 * @throws SwappedError while the averages stand in for the parameters.
 */
export function saveLeRobot(optimizer: Optimizer<Params>): Required<LeRobotFiles> {
  const dict = optimizer.stateDict((view) => view);
  for (const group of dict.groups) {
    const unknown = unknownToPyTorch(group);
    if (unknown.length > 0) {
      throw new CheckpointError(
        `PyTorch's RMSprop, which LeRobot uses, has no ${unknown.join(", ")}: leave it out, or use save.`,
      );
    }
  }
  const names = dict.groups.flatMap(({ params }) => params);
  const keyOf = keyBy(new Map(names.map((name, i) => [name, i])));
  const parts = partsOf(dict.groups, dict.options?.ema !== undefined);
  const file = (of: (part: Part) => boolean) =>
    concatenated(fileParts(sourcesOf(dict, parts.filter(of), keyOf), new Map([["format", "pt"]])));
  const groups = dict.groups.map((group) => {
    const entries = [...hyperparametersToJson(group, "pytorch")].map(([key, json]) => `"${key}": ${json}`);
    const indices = group.params.map((name) => names.indexOf(name));
    return `{ ${entries.join(", ")}, "params": ${JSON.stringify(indices)} }`;
  });
  return {
    "optimizer_state.safetensors": file(isState),
    "optimizer_param_groups.json": `[\n  ${groups.join(",\n  ")}\n]\n`,
    "model.safetensors": file(isParameter),
  };
}

/**
 * Fills an optimizer from such files, all of it or nothing. The optimizer's groups must be those of the files, in the same
 * order; the tensors too, unless PyTorch has written their names. Without `model.safetensors`, the parameters stay as they
 * are.
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
export function restoreLeRobot(optimizer: Optimizer<Params>, files: LeRobotFiles): void {
  const own = optimizer.stateDict((view) => view);
  const text = files["optimizer_param_groups.json"];
  const indices = new Map<string, number>();
  const groups = groupsFrom(text, own.groups, indices);
  const keyOf = keyBy(indices);
  const parts = partsOf(groups, own.options?.ema !== undefined);
  const find = (source: Uint8Array, of: (part: Part) => boolean) => {
    const { bytes, header } = openFile(source);
    return { bytes, found: findParts(header, parts.filter(of), keyOf) };
  };
  const model = files["model.safetensors"];
  const found = [find(files["optimizer_state.safetensors"], isState)];
  if (model) found.push(find(model, isParameter));
  const dict = stateFrom(found, groups, 0);
  const tensors = Object.entries(dict.tensors).map(([name, tensor]) => [
    name,
    { ...tensor, param: tensor.param ?? own.tensors[name]!.param },
  ]);
  optimizer.loadStateDict({ ...dict, tensors: Object.fromEntries(tensors) });
}

function keyBy(indices: ReadonlyMap<string, number>): KeyOf {
  return ({ name, what }) => (what === "param" ? name : `state/${indices.get(name)}/${STATE_KEYS[what]}`);
}

/** Gives the optimizer's groups with the file's hyperparameters, and puts the place of each tensor into `indices`. */
function groupsFrom(text: string, own: readonly GroupState[], indices: Map<string, number>): GroupState[] {
  const where = "optimizer_param_groups.json";
  const groups = parseJson(text, where);
  if (!Array.isArray(groups) || groups.length !== own.length) {
    throw new CheckpointError(`${where}: got ${show(groups)}, expected a list of ${own.length} groups.`);
  }
  return own.map((group, i) => {
    const given: Record<string, unknown> = isObject(groups[i]) ? groups[i] : {};
    const { params, param_names: names = group.params } = given;
    const fits = (list: unknown): list is unknown[] =>
      Array.isArray(list) && list.length === group.params.length;
    if (!fits(params) || !fits(names) || !group.params.every((name) => names.includes(name))) {
      throw new CheckpointError(
        `${where}[${i}]: got params ${show(params)}, expected ${group.params.length}: ${group.params.join(", ")}.`,
      );
    }
    names.forEach((name, k) => {
      indices.set(name as string, params[k] as number);
    });
    return { ...group, ...hyperparametersFrom(given, `${where}[${i}].`, false) };
  });
}
