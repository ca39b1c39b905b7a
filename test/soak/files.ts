/**
 * A fuzzer of checkpoints that knows their structure: it changes fields, offsets, types, names, metadata and lengths of
 * sound files, reads them in every way, and holds the readers to their promises. A file is read, or refused with an error
 * of this package; a refusal changes nothing; whole files and pieces of them come to the same.
 */
import assert from "node:assert/strict";
import {
  CheckpointError,
  OptionError,
  type Options,
  type Params,
  RMSprop,
  RMSpropError,
  type StepOptions,
} from "rmsprop-wasm";
import { load, loadChunks, restore, restoreLeRobot, save, saveLeRobot } from "rmsprop-wasm/checkpoint";
import { collectGarbage } from "../support/garbage.ts";
import { train } from "../support/runs.ts";
import { fileOf, tensor } from "../support/tensor-files.ts";
import { Dice, damaged, draftOf, MUTATIONS, ODD, written } from "./mutations.ts";

// biome-ignore lint/suspicious/noExplicitAny: headers of any form are what the fuzzer makes
type Any = any;

/** An optimizer, made anew once it was changed, and its state. */
class Target {
  #made: { optimizer: RMSprop<Params>; before: Uint8Array } | undefined;

  constructor(private readonly make: () => RMSprop<Params>) {}

  get(): { optimizer: RMSprop<Params>; before: Uint8Array } {
    if (!this.#made) {
      const optimizer = this.make();
      this.#made = { optimizer, before: save(optimizer) };
    }
    return this.#made;
  }

  drop(): void {
    this.#made?.optimizer.dispose();
    this.#made = undefined;
  }
}

/** A sound file, and an optimizer that it fits. */
interface Origin {
  readonly name: string;
  readonly bytes: Buffer;
  readonly target: Target;
}

const GROUPS = () => [
  { params: { w: [2, 3], "a.b": [2] }, momentum: 0.9 },
  { params: { c: Float32Array.of(1, 2, 3), s: [] }, centered: true, lr: 0.5 },
];

function trained(options: object, params: Params = GROUPS()): RMSprop<Params> {
  const optimizer = new RMSprop(params, options);
  train(optimizer, 0, 3);
  return optimizer;
}

/** An optimizer of which some rows have had other steps than the others. */
function trainedByRows(): RMSprop<Params> {
  const params = [
    { params: { w: [2, 3] }, sparse: "exact" as const },
    { params: { "a.b": [2, 2] }, sparse: "lazy" as const },
  ];
  const optimizer = new RMSprop<Params>(params);
  for (const rows of [{ w: [0], "a.b": [1] }, { w: [1] }]) {
    for (const grad of Object.values(optimizer.grads)) grad.fill(1);
    optimizer.step({ rows } as StepOptions);
  }
  return optimizer;
}

const carried = {
  "norm.num_batches_tracked": tensor("I64", BigInt64Array.of(7n) as Any, []),
  "norm.running_mean": tensor("F32", Float32Array.of(1, 2)),
  half: tensor("F16", Uint16Array.of(1, 2, 3, 4), [2, 2]),
  none: tensor("BOOL", new Uint8Array(0), [0, 4]),
};
const plain = {
  w: tensor("F64", Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
  "state.w.square_avg": tensor("F32", Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
  "state.w.step": tensor("I64", BigInt64Array.of(3n) as Any, []),
  "a.b": tensor("BF16", Uint16Array.of(0x3f80, 0x4000)),
};
const record = (name: string, more: object = {}) =>
  Object.entries({ lr: 0.5, alpha: 0.9, ...more }).map(([key, value]) => [
    `param_groups.${name}.${key}`,
    JSON.stringify(value),
  ]);

const origins: readonly Origin[] = [
  { name: "by rows", bytes: Buffer.from(save(trainedByRows())), target: new Target(trainedByRows) },
  ...Object.entries({
    plain: {},
    averaged: { ema: { decay: 0.5 }, globalClipNorm: 3 },
    scheduled: { lr: () => 0.25 },
  }).map(([name, options]) => ({
    name,
    bytes: Buffer.from(save(trained(options))),
    target: new Target(() => trained(options)),
  })),
  ...Object.entries({
    foreign: fileOf({ ...plain, ...carried }),
    annotated: fileOf(
      { ...plain, ...carried },
      Object.fromEntries([...record("w", { initial_lr: 1, foreach: true }), ...record("a.b")]),
    ),
    weights: fileOf({ w: plain.w, "a.b": plain["a.b"] }),
  }).flatMap(([name, bytes]) => {
    const target = new Target(() => trained({}, { w: [2, 3], "a.b": [2] }));
    const saved = { name: `${name}, saved again`, bytes: Buffer.from(save(load(bytes))), target };
    return [{ name, bytes, target }, saved];
  }),
];

/** A file with one to three mutations, and their names. */
function mutated(bytes: Uint8Array, dice: Dice): { bytes: Buffer; mutations: string[] } {
  const draft = draftOf(bytes);
  const mutations = Array.from({ length: 1 + dice.below(3) }, () => dice.one(Object.keys(MUTATIONS)));
  for (const name of mutations) if (draft.members.length > 0) MUTATIONS[name]!(draft, dice);
  return { bytes: damaged(written(draft), dice), mutations };
}

/** The file of a seed, and the optimizer that it was of. */
export function mutatedFile(seed: number): { origin: Origin; bytes: Buffer; mutations: string[] } {
  const dice = new Dice(seed);
  const origin = dice.one(origins);
  return { origin, ...mutated(origin.bytes, dice) };
}

/** Pieces of random sizes, some of them empty, in one buffer that is filled again and again. */
function* inPieces(bytes: Buffer, dice: Dice): Generator<Uint8Array> {
  const buffer = new Uint8Array(1 + dice.below(dice.one([4, 64, 4096])));
  for (let at = 0; at < bytes.length; ) {
    const count = dice.below(buffer.length + 1);
    buffer.set(bytes.subarray(at, at + count));
    yield buffer.subarray(0, Math.min(count, bytes.length - at));
    at += count;
  }
}

/** The counts of a run. */
export interface FileCounts {
  files: number;
  /** Files that `load` took. */
  loaded: number;
  /** Files that `restore` took. */
  restored: number;
  /** Refusals of all ways together, by the class of their error. */
  refusals: Record<string, number>;
}

export interface FileFuzz {
  /** The first seed; each file has the next one. */
  readonly seed: number;
  /** Ends the run after so many files. */
  readonly count?: number;
  /** Ends the run after so many seconds. */
  readonly seconds?: number;
}

/** Fuzzes files until a limit is reached. An error of it names the seed and the mutations. */
export async function fuzzFiles({
  seed,
  count = Infinity,
  seconds = Infinity,
}: FileFuzz): Promise<FileCounts> {
  const counts: FileCounts = { files: 0, loaded: 0, restored: 0, refusals: {} };
  const end = performance.now() + 1000 * seconds;
  while (counts.files < count && performance.now() < end) {
    const own = seed + counts.files;
    const { origin, bytes, mutations } = mutatedFile(own);
    const dice = new Dice(own);
    try {
      if (dice.chance(0.1)) judgeLeRobot(dice, counts);
      else await judge(origin, bytes, dice, counts);
    } catch (cause) {
      throw new Error(`File of seed ${own} (${origin.name}; ${mutations.join(", ")}): ${cause}`, { cause });
    }
    counts.files++;
    // Engines collect memories late, and reserve gibibytes of addresses for each.
    if (counts.files % 200 === 0) collectGarbage();
  }
  return counts;
}

/** Checks that an error is of this package, and counts it. */
function refused(error: unknown, counts: FileCounts): void {
  assert(error instanceof RMSpropError, `${error instanceof Error ? error.stack : error}`);
  assert(error instanceof CheckpointError || error instanceof OptionError, `${error.name}: ${error.message}`);
  assert(error.message.length < 1000, `a message of ${error.message.length} characters`);
  counts.refusals[error.name] = (counts.refusals[error.name] ?? 0) + 1;
}

/** Restores into an optimizer: all of it or nothing. */
function judgeRestoring(
  target: Target,
  restoreInto: (optimizer: RMSprop<Params>) => void,
  counts: FileCounts,
): void {
  const { optimizer, before } = target.get();
  const { w } = optimizer.params as { w: Float32Array };
  let error: unknown;
  try {
    restoreInto(optimizer);
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) {
    counts.restored++;
    assertSound(save(optimizer));
    target.drop();
  } else {
    refused(error, counts);
    assertSame(save(optimizer), before, "the refused file changed the optimizer");
    assert.equal((optimizer.params as { w: Float32Array }).w, w, "the refused file made new views");
  }
}

async function judge(origin: Origin, bytes: Buffer, dice: Dice, counts: FileCounts): Promise<void> {
  judgeRestoring(origin.target, (optimizer) => restore(optimizer, bytes), counts);

  const options: Options = { backend: "js", ...(dice.chance(0.5) ? { lr: 0.5 } : {}) };
  const whole = await attempt(() => load(bytes, options));
  const pieces = await attempt(() => loadChunks(inPieces(bytes, dice), options));
  assert.equal(!pieces.optimizer, !whole.optimizer, `${whole.error} / ${pieces.error}`);
  if (whole.optimizer) {
    counts.loaded++;
    const saved = save(whole.optimizer);
    assertSame(save(pieces.optimizer!), saved, "whole and in pieces differ");
    assertSound(saved);
    whole.optimizer.dispose();
    pieces.optimizer!.dispose();
  } else {
    for (const { error } of [whole, pieces]) refused(error, counts);
  }
}

const leRobotTarget = new Target(() => trained({}));
const leRobotFiles = saveLeRobot(trained({}));

/** The same for the three files of LeRobot's layout, one of them mutated. */
function judgeLeRobot(dice: Dice, counts: FileCounts): void {
  const files = { ...leRobotFiles };
  const spoilt = dice.one(Object.keys(files) as (keyof typeof files)[]);
  if (spoilt !== "optimizer_param_groups.json") {
    files[spoilt] = mutated(files[spoilt]!, dice).bytes;
  } else {
    const values = [...files[spoilt].matchAll(/-?\d+(\.\d+)?|"[^"\\]*"|\[[^[\]]*\]|true|false|null/g)];
    const { index, 0: old } = dice.one(values);
    files[spoilt] = files[spoilt].slice(0, index) + dice.one(ODD) + files[spoilt].slice(index + old.length);
  }
  judgeRestoring(leRobotTarget, (optimizer) => restoreLeRobot(optimizer, files), counts);
}

async function attempt(read: () => unknown): Promise<{ optimizer?: RMSprop<Params>; error?: unknown }> {
  try {
    return { optimizer: (await read()) as RMSprop<Params> };
  } catch (error) {
    return { error };
  }
}

/** Saved files can be loaded, and are the same when they are saved again. */
function assertSound(saved: Uint8Array): void {
  const again = loadSaved(saved);
  const other = loadSaved(save(again));
  assertSame(save(other), save(again), "what was saved and loaded isn't the same");
  for (const one of [again, other]) one.dispose();
}

/** Rows that are behind go on by the rate of the file alone, or by a schedule if it had one, which it can't hold. */
function loadSaved(bytes: Uint8Array): RMSprop<Params> {
  try {
    return load(bytes, { backend: "js" });
  } catch (error) {
    if (!/^The learning rate was a function/.test((error as Error).message)) throw error;
    return load(bytes, { backend: "js", lr: () => 0.5 });
  }
}

/** Far quicker than `deepEqual`. */
function assertSame(bytes: Uint8Array, expected: Uint8Array, message: string): void {
  assert.equal(Buffer.compare(bytes, expected), 0, message);
}
