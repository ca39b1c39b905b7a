/** The parts of an optimizer, made and checked by its constructor. */

import type { FloatArray } from "../base/real.ts";
import { DisposedError } from "../errors.ts";
import type { Backends, Kernel } from "../kernel/contract.ts";
import { Arena } from "../memory/arena.ts";
import { isShared } from "../memory/layout.ts";
import {
  type Hyperparameters,
  isAsking,
  notRowwise,
  refuseWithin,
  resolveHyperparameters,
} from "../options/hyperparameters.ts";
import { checkClipping, type Options, type ResolvedOptions, resolveOptions } from "../options/options.ts";
import { Group } from "./group.ts";
import { Attachment } from "./handle.ts";
import { LEARNED_BYTES, Learned } from "./learned.ts";
import { Norms } from "./norms.ts";
import { type Params, parseParams } from "./params.ts";
import { place } from "./place.ts";
import { reserve } from "./planes.ts";
import { PROGRESS_BYTES, Progress } from "./progress.ts";
import { notByRows, Rows, withoutCounts } from "./rows.ts";
import { StandIn } from "./stand-in.ts";
import type { Tensor } from "./tensor.ts";
import { startWeights, weightsByteLength } from "./weights.ts";

/** Everything that `dispose` drops. */
export interface Parts {
  arena: Arena;
  backends: Backends;
  kernel: Kernel;
  groups: readonly Group[];
  tensors: ReadonlyMap<string, Tensor>;
  norms: Norms;
  rows: Rows;
  options: ResolvedOptions;
  standIn: StandIn;
  progress: Progress;
  /** Byte offset of the count of steps in a shared memory, where attached optimizers find it. */
  progressPtr: number;
  /** With `lr: "auto"`. */
  learned: Learned | undefined;
}

/** The parts, unless they were dropped. */
export function live(parts: Parts | undefined): Parts {
  if (parts === undefined) {
    throw new DisposedError("This optimizer was disposed of. Make a new one.");
  }
  return parts;
}

/** The parts, unless a schedule is asked for their rate, or a worker that was given up may still write to the tensors. */
export function settled(dropped: Parts | undefined): Parts {
  const parts = live(dropped);
  if (isAsking()) for (const { hyperparameters } of parts.groups) refuseWithin(hyperparameters.lr);
  parts.kernel.settle?.(parts.groups, parts.progress);
  parts.progress.refuseHeld();
  if (parts.progress.tables !== parts.rows.tables) throw withoutCounts();
  return parts;
}

/** Makes the parts of an optimizer: of new tensors, or of another optimizer's. */
export function makeParts(
  params: Params<FloatArray> | Attachment,
  given: Options,
  backends: Backends,
  catchUp: (group: Group) => void,
): Parts {
  const { real } = backends;
  const attachment = params instanceof Attachment ? params : undefined;
  const { inherited, optimizerOptions: options } = resolveOptions(attachment?.options ?? given, real);
  const specs = (attachment?.groups ?? parseParams(params as Params<FloatArray>, real)).map(
    ({ tensors, overrides }) => ({
      tensors,
      hyperparameters: resolveHyperparameters(overrides, real, inherited),
    }),
  );
  const { memory, allocate, backend, threads, globalClipNorm, scheduleFree, lr } = options;
  const norms = new Norms(options);
  const beforeChange = (next: Hyperparameters) => {
    checkClipping(globalClipNorm, [next]);
    if ((scheduleFree || lr) && next.sparse !== undefined) throw notByRows("sparse");
    if ((scheduleFree || lr) && next.rowwiseState) throw notRowwise(lr ? 'lr: "auto"' : "scheduleFree");
    norms.reset();
  };
  for (const { hyperparameters } of specs) beforeChange(hyperparameters);

  const wantsShared = memory ? isShared(memory) : threads > 1 && backend !== "js" && !!backends.canShare?.();
  const arena = new Arena(real, memory, allocate, wantsShared);
  const tensorSpecs = specs.flatMap((spec) => spec.tensors);
  place(tensorSpecs, arena, memory);
  const context = { arena, options, beforeChange, catchUp };
  const groups = specs.map((spec) => new Group(spec.tensors, spec.hyperparameters, context));
  const tensors = new Map<string, Tensor>();
  for (const group of groups) for (const tensor of group.tensors) tensors.set(tensor.name, tensor);
  const rows = new Rows(arena, groups, tensors);
  const learnedAt = PROGRESS_BYTES + weightsByteLength(groups.length, scheduleFree);
  // A caller's memory stays as it is if there is no backend. One that is made here gets its size by what is placed.
  const early = memory && backends.open(memory, backend, threads);
  let progressPtr: number;
  try {
    const wants = groups.flatMap((group) => group.firstWants);
    const bytes = learnedAt + (lr ? LEARNED_BYTES : 0);
    const [placed = 0] = reserve(arena, wants, wantsShared && !attachment ? [bytes] : []);
    progressPtr = attachment?.progress ?? placed;
    for (const group of groups) group.settle();
    rows.start();
  } catch (error) {
    early?.dispose?.();
    throw error;
  }
  arena.leaveRoom(rows.roomBytes);
  const kernel = early ?? backends.open(arena.memory, backend, threads);
  const shared = isShared(arena.memory) ? { memory: arena.memory, ptr: progressPtr } : undefined;
  const progress = new Progress(shared?.memory, shared?.ptr);
  if (!attachment) progress.tables = rows.tables;
  startWeights(groups, scheduleFree, shared);
  const learned = lr && new Learned(shared && { ...shared, ptr: progressPtr + learnedAt });
  for (const { name, values } of tensorSpecs) {
    if (values !== undefined) tensors.get(name)!.view("param").set(values);
  }
  for (const group of attachment ? [] : groups) {
    const { initialSquareAvg } = group.hyperparameters;
    if (initialSquareAvg !== 0) group.fill("squareAvg", initialSquareAvg);
  }
  const standIn = new StandIn([...tensors.values()], options, progress);
  return {
    arena,
    backends,
    kernel,
    groups,
    tensors,
    norms,
    rows,
    options,
    standIn,
    progress,
    progressPtr,
    learned,
  };
}
