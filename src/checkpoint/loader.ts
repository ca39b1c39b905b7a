/** An optimizer in the making: from a file's header first, then from its tensors, piece by piece. */

import { OptionError } from "../errors.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import type { ParamGroup, Params } from "../optimizer/params.ts";
import type { StateDict } from "../optimizer/state-dict.ts";
import type { Options } from "../options/options.ts";
import { decode, firstValue } from "./dtypes.ts";
import { annotationsOf, flattenedKey, groupsOf } from "./flattened.ts";
import { commonSteps, type Found, findParts, partsOf, shapesOf } from "./keys.ts";
import { isHyperparameter } from "./pytorch-names.ts";
import type { Header } from "./safetensors.ts";

/** Makes the optimizer of a file: each entry of the package has its own class. */
export type Make<Made extends Optimizer<Params>> = (params: readonly ParamGroup[], options: Options) => Made;

/** @internal */
export class Loader<Made extends Optimizer<Params>> {
  /** The parts of the file, in its order. */
  readonly found: readonly Found[];
  readonly #optimizer: Made;
  /** The optimizer's state; its arrays are views. */
  #state: StateDict | undefined;
  readonly #skippedSteps: number;
  readonly #steps: [Found, number][] = [];

  constructor(header: Header, options: Options, make: Make<Made>) {
    const annotations = annotationsOf(header);
    const { isScheduled, skippedSteps } = annotations;
    if (isScheduled && options.lr === undefined) {
      throw new OptionError(
        "The learning rate was a function, which a file can't hold: load with { lr }, the same function or a number.",
      );
    }
    const overrides = Object.fromEntries(
      Object.entries(options).filter(([name, value]) => isHyperparameter(name) && value !== undefined),
    );
    const groups = groupsOf(header, annotations).map((group) => ({ ...group, ...overrides }));
    const ownOptions = { ...annotations.options, ...options };
    this.found = findParts(header, partsOf(groups, ownOptions.ema !== undefined), flattenedKey);
    const shapes = shapesOf(this.found);

    const params = groups.map((group) => ({
      ...group,
      params: Object.fromEntries(group.params.map((name) => [name, shapes.get(name)!])),
    }));
    this.#optimizer = make(params, ownOptions);
    this.#skippedSteps = skippedSteps;
  }

  /** Takes bytes of a part, from its element `start` on. */
  take(part: Found, bytes: Uint8Array, start = 0): void {
    const { name, what, entry } = part;
    const { tensors } = this.#views;
    if (what === "step") {
      this.#steps.push([part, firstValue(entry.dtype, bytes)]);
    } else {
      const count = bytes.length / entry.dtype.byteLength;
      decode(entry.dtype, bytes, tensors[name]![what]!.subarray(start, start + count));
    }
  }

  /** Gives the optimizer, once everything was taken. */
  finish(): Made {
    const steps = commonSteps(this.#steps);
    this.#optimizer.loadStateDict({ ...this.#views, steps, skippedSteps: this.#skippedSteps });
    return this.#optimizer;
  }

  get #views(): StateDict {
    this.#state ??= this.#optimizer.stateDict((view) => view);
    return this.#state;
  }

  /** Ends what the optimizer has begun. */
  abandon(): void {
    this.#optimizer.dispose();
  }
}
