/// <reference lib="esnext.disposable" preserve="true" />

import type { FloatArray } from "../base/real.ts";
import { refuseSurplus } from "../base/rules.ts";
import type { Backend, Backends } from "../kernel/contract.ts";
import {
  type GroupHyperparameters,
  guardHyperparameters,
  type Schedule,
} from "../options/hyperparameters.ts";
import type { Options } from "../options/options.ts";
import {
  checkShard,
  type RowIndices,
  type RowsByName,
  type Shard,
  type StepOptions,
} from "../options/step-options.ts";
import { bindMembers, guardGroups, refuseReplaced } from "./guard.ts";
import { type Attachment, type Handle, handleOf } from "./handle.ts";
import type { NameOf, Params } from "./params.ts";
import { live, makeParts, type Parts, settled } from "./parts.ts";
import { assignRate, rateOf } from "./rates.ts";
import { READERS, recordOf, toJson } from "./records.ts";
import { reportsOn, type TensorReport } from "./report.ts";
import type { ElementRange } from "./shard.ts";
import { type PlacedState, readState, type StateDict, writeState } from "./state-dict.ts";
import { catchUp, catchUpRows, Steps } from "./steps.ts";
import type { State, Tensor } from "./tensor.ts";
import { textOf } from "./text.ts";

/**
 * The type that `RMSprop` of every entry extends, for functions that take either. Parameters, gradients and state stand
 * in one linear memory, and `step()` updates them in place. An entry adds its backends, so nobody makes one directly.
 *
 * @example
 * ```ts
 * import { type Optimizer, type Params, RMSprop } from "rmsprop-wasm";
 *
 * const gradientsOf = (optimizer: Optimizer<Params>) => Object.values(optimizer.grads);
 * gradientsOf(new RMSprop({ w: [2] })).length; // → 1
 * ```
 */
export class Optimizer<const P extends Params<Elements>, Elements extends FloatArray = Float32Array> {
  /** Records of views, made when they are first read: of 100,000 tensors, each takes as long as the tensors. */
  readonly #records: Partial<Record<keyof typeof READERS, object>> = {};
  readonly #names: readonly NameOf<P>[];
  readonly #groups: readonly [GroupHyperparameters, ...GroupHyperparameters[]];
  #parts: Parts | undefined;
  readonly #steps = new Steps();

  /** @internal */
  constructor(params: P | Attachment, options: Options, backends: Backends<Elements>, other: unknown) {
    refuseSurplus("RMSprop", [other], "options go into one object, as { lr: 1e-3 }");
    this.#parts = makeParts(params, options, backends, (group) => catchUp(live(this.#parts), [group]));
    this.#names = [...this.#parts.tensors.keys()] as NameOf<P>[];
    if (!this.#parts.options.ema) this.#records.ema = recordOf("ema", [], live);
    this.#groups = guardGroups(this.#parts.groups.map((_, i) => this.#guard(i)));
    guard(this);
  }

  /** The parameters by name: flat views over the memory as it is when the name is read. */
  get params(): Readonly<Record<NameOf<P>, Elements>> {
    return this.#record("params");
  }

  /** The gradients by name, which the caller writes before each step: flat views, as in `params`. */
  get grads(): Readonly<Record<NameOf<P>, Elements>> {
    return this.#record("grads");
  }

  /** The running averages by name: flat views, as in `params`. */
  get state(): Readonly<Record<NameOf<P>, State<Elements>>> {
    return this.#record("state");
  }

  /** The running averages of the parameters by name, flat views; empty without the option `ema`. */
  get ema(): Readonly<Record<NameOf<P>, Elements>> {
    return this.#record("ema");
  }

  /** The hyperparameters of each group. An assignment is checked (`OptionError`) and holds from the next step. */
  get groups(): readonly [GroupHyperparameters, ...GroupHyperparameters[]] {
    return this.#groups;
  }

  /**
   * The learning rate of the next step, also where it is a schedule; an assignment, of a number or a schedule, is for all
   * groups. The first step moves each parameter by `lr / sqrt(1 - alpha)`, ten times `lr` at the defaults.
   *
   * @throws OptionError where groups have rates of their own: read and assign `groups[i].lr`.
   */
  get lr(): number {
    return rateOf(live(this.#parts), this.#groups);
  }

  /** Sets the rate of all groups, from the next step on. */
  set lr(rate: number | Schedule) {
    assignRate(live(this.#parts), this.#groups, rate);
  }

  /** The rate that `lr: "auto"` has learned by now, of which `lr` of the groups are factors; undefined without the option. */
  get learnedLr(): number | undefined {
    return live(this.#parts).learned?.rate;
  }

  /** Number of steps taken, by all optimizers on these tensors. A step taken by shares counts from its first share on. */
  get steps(): number {
    return live(this.#parts).progress.steps;
  }

  /** The memory in which parameters, gradients and state stand. */
  get memory(): WebAssembly.Memory {
    return live(this.#parts).arena.memory;
  }

  /** The implementation that runs: `"wasm"` or `"js"`. */
  get backend(): Backend {
    return live(this.#parts).kernel.backend;
  }

  /**
   * Number of threads that share an update now. It is 1 until the workers have started, and stays 1 where none can, as on
   * a page that isn't cross-origin isolated. Small updates run on the calling thread alone.
   */
  get threads(): number {
    return live(this.#parts).kernel.threads ?? 1;
  }

  /**
   * Resolves when the workers are up, or it is known that they won't be: see `threads`. After a `ThreadError`, it resolves
   * when the worker in question has left. It never rejects, and `dispose` settles it. Steps need not wait for it. A process
   * ends without waiting for workers, unless this was read.
   */
  get ready(): Promise<void> {
    return live(this.#parts).kernel.ready ?? Promise.resolve();
  }

  /**
   * The plain data from which `RMSprop.attach` on another thread makes an optimizer on the same tensors: post it there.
   *
   * @throws MemoryError if the memory isn't shared: that takes `threads` above 1, or a shared `options.memory`.
   */
  get handle(): Handle {
    return handleOf(live(this.#parts));
  }

  /** Number of steps that `nonFinite: "skip"` has skipped. They aren't counted in `steps`. */
  get skippedSteps(): number {
    return this.#steps.skipped;
  }

  /**
   * The L2 norm of all gradients at the last step, scaled but not clipped. It is measured by steps with `clipNorm`,
   * `globalClipNorm` or a `nonFinite` other than "propagate", and undefined before the first of them.
   */
  get gradNorm(): number | undefined {
    return this.#steps.gradNorm;
  }

  /**
   * Updates all parameters and their state in place from the gradients, in the order of operations that the README
   * writes out.
   *
   * @param options `gradScale`, `zeroGrad`, `shard`, `gradNorm` and `rows`, each with a default.
   * @returns whether the update was applied: false for one that `nonFinite: "skip"` has skipped.
   * @throws StaleViewError when the memory has grown since gradients were read: writes to those older views are lost. Read
   * `grads` again, write the gradients, and step.
   * @throws NonFiniteError when a gradient isn't finite, with `nonFinite: "throw"`.
   * @throws OptionError for bad options, and when a schedule of `lr` gives no learning rate.
   * @throws ThreadError when a worker has died or stood still in the middle of it. The step is taken and counts, but for
   * the elements that the error names.
   */
  step(options?: StepOptions): boolean {
    refuseReplaced(this);
    return this.#steps.take(settled(this.#parts), options);
  }

  /**
   * Brings rows to where dense steps would have brought them, without a gradient. It is for rows of `step({ rows })` that a
   * forward pass is about to read, where steps move them meanwhile: with `momentum` or decoupled weight decay. Without
   * arguments it does so with all rows of all tensors, as before the parameters are evaluated or exported. Rows of groups with
   * `sparse: "lazy"`, and tensors that never were in a step by rows, are up to date.
   *
   * @param rows Numbers of rows by the name of their tensor, as `step` takes them; all, by default.
   * @throws OptionError for rows that don't exist, and when a schedule of `lr` gives no learning rate.
   * @throws MemoryError for a list of rows outside the memory.
   * @throws SwappedError while `params` hold the averages.
   */
  catchUp(rows?: Readonly<Partial<Record<NameOf<P>, RowIndices>>>): void {
    catchUpRows(settled(this.#parts), rows as RowsByName | undefined);
  }

  /** @internal The parts, for files. A method, since the proxies of frameworks wrap what getters give. */
  parts(): Parts {
    return settled(this.#parts);
  }

  /** Gives the elements of each tensor that belong to a share, by name: `params.w.subarray(start, end)`. */
  shareRanges(shard: Shard): Readonly<Record<NameOf<P>, ElementRange>> {
    const { groups, arena } = live(this.#parts);
    const ranges = groups.flatMap((group) => group.rangesIn(checkShard(shard, arena.real)));
    return Object.fromEntries(ranges) as Record<NameOf<P>, ElementRange>;
  }

  /** Sets all gradients to zero. */
  zeroGrad(): void {
    for (const group of settled(this.#parts).groups) group.fill("grad", 0);
  }

  /**
   * Measures each tensor, for training that stalls or explodes: figures by name, which `console.table` prints well. They
   * describe gradients, parameters and state as they are in memory; nothing is changed.
   *
   * Call it after `step()` and before the gradients are cleared or written again: then the update is the one that was
   * just made. Called before `step()`, it sets new gradients against averages that haven't seen them; before the first
   * step those are mostly 0, and rates of `lr / eps` say nothing yet. Schedules of `lr`, `biasCorrection` and `gradScale`
   * count as at the last step, all other options as they are set now.
   *
   * It takes some 40 ns per element, as long as sixty steps.
   *
   * @returns the figures of each tensor, by its name.
   *
   * @throws StaleViewError as `step` does, when the memory has grown since gradients were read.
   * @throws SwappedError while `params` hold the averages, which no update was made of.
   * @throws OptionError when a schedule of `lr` gives no learning rate.
   */
  report(): Record<NameOf<P>, TensorReport> {
    const reports = reportsOn(settled(this.#parts), this.#steps.gradients);
    return Object.fromEntries(reports) as Record<NameOf<P>, TensorReport>;
  }

  /**
   * Exchanges the parameters and their running averages in place, to evaluate with the averages; a second call puts them
   * back. No step can be taken in between.
   *
   * @returns whether `params` hold the averages now.
   * @throws OptionError without the option `ema`.
   */
  swapEma(): boolean {
    const parts = settled(this.#parts);
    if (parts.options.ema) catchUp(parts, parts.groups);
    return parts.standIn.swapEma();
  }

  /**
   * Puts the averages of `scheduleFree` in the parameters' place, to evaluate with. Until `train()`, no step can be taken,
   * no state be saved, and what is written to `params` is lost. A second call does nothing.
   *
   * @throws OptionError without the option `scheduleFree`.
   */
  eval(): void {
    settled(this.#parts).standIn.eval();
  }

  /**
   * Puts the parameters that training goes on from back, to the bit, after `eval()`. Without one it does nothing.
   *
   * @throws OptionError without the option `scheduleFree`.
   * @throws SwappedError when another optimizer on these tensors has called `eval()`.
   */
  train(): void {
    settled(this.#parts).standIn.train();
  }

  /**
   * Copies parameters, state, steps and hyperparameters; gradients are left out. The result is plain data, for
   * `structuredClone`, `postMessage` or IndexedDB; for files, `rmsprop-wasm/checkpoint` has `save`.
   *
   * @throws SwappedError while `params` hold the averages.
   */
  stateDict(): StateDict<NameOf<P>, Elements> {
    return { ...readState(settled(this.#parts), this.#steps.skipped, (view) => view.slice()) };
  }

  /** @internal The same for files: views instead of copies, made each time that `tensors` is read. */
  stateViews(): StateDict<NameOf<P>, Elements> {
    return readState(settled(this.#parts), this.#steps.skipped, (view) => view);
  }

  /**
   * Copies the state of another optimizer in, all of it or nothing: names, shapes and lengths must be this optimizer's,
   * group by group. Hyperparameters become those of the state; but a schedule of `lr` stays and goes on at the state's
   * step, and the options of the constructor stay as they were given. Gradients are left alone.
   *
   * @throws CheckpointError for a state that is malformed or doesn't fit.
   * @throws OptionError for hyperparameters out of range.
   * @throws MemoryError when its momentum or gradient averages need more room than the memory can give.
   * @throws SwappedError while `params` hold the averages.
   */
  loadStateDict(dict: StateDict<NameOf<P>, FloatArray>): void;
  /** @internal Does the same where the arrays have been written in place. */
  loadStateDict(dict: PlacedState): void;
  loadStateDict(dict: StateDict<NameOf<P>, FloatArray> | PlacedState): void {
    writeState(dict, settled(this.#parts));
    this.#steps.restart(dict.skippedSteps);
  }

  /**
   * Ends the workers and drops the memory. Every later call, and every read of what it held, throws `DisposedError`;
   * hyperparameters can still be read. A second call does nothing.
   */
  dispose(): void {
    this.#parts?.kernel.dispose?.();
    this.#parts = undefined;
    this.#steps.forget();
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A text for logs: backend, steps, each group's hyperparameters, its tensors with their shapes. Node, Deno and Bun print it, too. */
  toString(): string {
    return textOf(this.#parts);
  }

  /** @internal */
  toJSON(key?: string): unknown {
    return key === undefined ? this.toString() : toJson.call(this, key);
  }

  /** A group's hyperparameters for the caller, who may hold them longer than there are parts. */
  #guard(index: number): GroupHyperparameters {
    return guardHyperparameters(
      live(this.#parts).groups[index]!.hyperparameters,
      live(this.#parts).arena.real,
      () => live(this.#parts).progress.steps,
      (next) => {
        const { groups, progress } = settled(this.#parts);
        groups[index]!.assign(next);
        progress.noteChange(); // state may have come into use
      },
    );
  }

  #record<Value>(title: keyof typeof READERS): Readonly<Record<NameOf<P>, Value>> {
    const read = READERS[title] as (tensor: Tensor) => Value;
    this.#records[title] ??= recordOf(title, this.#names, (name) =>
      read(live(this.#parts).tensors.get(name)!),
    );
    return this.#records[title] as Readonly<Record<NameOf<P>, Value>>;
  }
}

/** Outside of the class: bundlers rename one that names itself, and consoles show its name. */
function guard(optimizer: object): void {
  bindMembers(optimizer, Optimizer.prototype);
}
