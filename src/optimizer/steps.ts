/** Steps: the order in which their parts run. All that may throw comes before the first write. */

import { OptionError } from "../errors.ts";
import { clipFactor } from "../options/scalars.ts";
import { checkRows, type RowsByName, resolveStepOptions, type StepOptions } from "../options/step-options.ts";
import type { Group, Step } from "./group.ts";
import { type Gradients, nonFiniteError } from "./norms.ts";
import type { Parts } from "./parts.ts";
import { notByRows, type RowLists, type Rows } from "./rows.ts";
import { refuseOverflow } from "./state-dict.ts";
import { acceptGrowth } from "./tensor.ts";

const NO_GRADIENTS: Gradients = { gradScale: 1, lists: undefined, known: undefined };

/** Takes an optimizer's steps, and keeps what it tells of them. */
export class Steps {
  /** Steps that `nonFinite: "skip"` has skipped. */
  skipped = 0;
  /** The norm of all gradients at the last step that has measured it. */
  gradNorm: number | undefined;
  /** The gradients of the last step, for `report`. */
  gradients: Gradients = NO_GRADIENTS;
  /** The step that has made the memory grow: the gradients that its other shares read were in it before. */
  #grownIn: number | undefined;
  /** The step that is being taken: one object for all, since a small model's update takes hardly longer than to make one. */
  #step: Step | undefined;

  /** Takes a step. Tells whether it was applied. */
  take(parts: Parts, options: StepOptions | undefined): boolean {
    const { arena, kernel, groups, tensors, norms, rows, options: own, progress, learned } = parts;
    const { gradScale, zeroGrad, shard, gradNorm, rows: given } = resolveStepOptions(options, arena.real);
    const before = progress.before(shard);
    if (arena.hasGrown && this.#grownIn !== before) acceptGrowth(arena, tensors.values());
    progress.refuseSwapped();
    if (shard) norms.refuseUnknown(groups, zeroGrad, gradNorm);
    if (learned && shard) {
      throw new OptionError(
        'Option shard: lr "auto" learns from the gradients of all shares: take whole steps, or give a number.',
      );
    }
    if (learned && given) throw notByRows("rows");
    refuseOverflow(before);
    for (const group of groups) group.prepare(before);
    const lists = given && rows.read(given);
    const gradients = { gradScale, lists, known: gradNorm };
    const { norm, tensorNorms } = norms.measure(groups, kernel, gradients);
    const isRefused = norm !== undefined && !Number.isFinite(norm) && own.nonFinite !== "propagate";
    if (isRefused && own.nonFinite === "throw") throw nonFiniteError(tensorNorms);
    // Places counts of rows: not for a step that isn't taken.
    if (!isRefused) rows.prepare(lists, before);
    if (arena.hasGrown) this.#grownIn = before;
    if (lists) progress.tables = rows.tables;
    if (norm !== undefined) this.gradNorm = norm;
    if (isRefused) {
      this.skipped++;
      return false;
    }

    this.#step ??= newStep(own.ema?.decay, rows);
    const step = this.#step;
    step.step = before;
    step.gradScale = gradScale * clipFactor(norm, own.globalClipNorm);
    step.zeroGrad = zeroGrad;
    step.tensorNorms = tensorNorms;
    step.shard = shard;
    step.lists = lists;
    step.learned = learned?.learn(groups, kernel, step);
    for (const group of groups) group.update(kernel, step);
    this.gradients = gradients;
    progress.advance(before, shard);
    kernel.settle?.(groups, progress);
    return true;
  }

  /** Lets go of tensors and their memory. */
  forget(): void {
    this.#step = undefined;
    this.gradients = NO_GRADIENTS;
  }

  /** Goes on from a state that was loaded. */
  restart(skipped: number): void {
    this.skipped = skipped;
    this.gradNorm = undefined;
    this.#grownIn = undefined;
  }
}

function newStep(emaDecay: number | undefined, rows: Rows): Step {
  return {
    step: 0,
    gradScale: 1,
    zeroGrad: false,
    emaDecay,
    learned: undefined,
    tensorNorms: new Map(),
    shard: undefined,
    lists: undefined,
    rows,
  };
}

/** Brings rows that a caller names up to date, or all. */
export function catchUpRows(parts: Parts, named: RowsByName | undefined): void {
  const { arena, groups, rows, progress } = parts;
  progress.refuseSwapped();
  const lists = named === undefined ? undefined : rows.read(checkRows(named, arena.real));
  catchUp(parts, groups, lists);
  progress.noteChange();
}

/** Brings rows of groups up to date: those of lists, or all. */
export function catchUp(parts: Parts, groups: readonly Group[], lists?: RowLists): void {
  const { kernel, rows, options, progress } = parts;
  rows.track([], progress.steps);
  const plan = { step: progress.steps, gradScale: 1, zeroGrad: false, emaDecay: options.ema?.decay };
  for (const group of groups) group.catchUp(kernel, plan, rows, lists);
  kernel.settle?.(parts.groups, progress);
}
