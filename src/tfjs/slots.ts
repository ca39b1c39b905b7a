/** The state of each variable that an optimizer has met, and loaded state that waits for its variable. */
import { engine, tensor, type Variable, variable } from "@tensorflow/tfjs-core";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Slot, SlotState } from "./updater.ts";
import type { SavedState } from "./weights.ts";

export class Slots {
  readonly #options: ResolvedOptions;
  readonly #slots = new Map<Variable, Slot>();
  /** Loaded state that no variable has claimed yet, by the name under which it was saved. */
  readonly #loaded = new Map<string, SlotState>();
  /** Count of the updates that the loaded state has seen. */
  #loadedSteps = 0;
  /** True once a variable has claimed state by its name: the others will too. */
  #isByName = false;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** Gives each of these variables a slot, claimed or new. Changes nothing if one of them can't have any. */
  admit(updates: readonly { readonly variable: Variable }[]): void {
    for (const { variable } of updates) {
      if (this.#slots.has(variable)) continue;
      const variables = updates.map(({ variable }) => variable);
      this.#admit(variables.filter((variable) => !this.#slots.has(variable)));
      return;
    }
  }

  /** Gives the slot of a variable that was admitted. */
  of(variable: Variable): Slot {
    return this.#slots.get(variable)!;
  }

  /** Gives all state, by the names of its variables. */
  save(): SavedState[] {
    this.#forgetGone();
    const met = [...this.#slots.values()].map(({ variable, state }) => ({ name: variable.name, state }));
    const loaded = [...this.#loaded].map(([name, state]) => ({ name, state }));
    return [...met, ...loaded].map(({ name, state }) => {
      // The format has a momentum buffer for each variable, momentum or not. Made at the first save, it stays, as in tf.js.
      state.momentumBuffer ??= filled(state.squareAvg.shape, 0);
      return { name, state };
    });
  }

  /** Replaces all state by saved state, for the variables met so far or, if there is none yet, for those to come. */
  load(saved: readonly SavedState[], steps: number): void {
    this.#forgetGone();
    const variables = [...this.#slots.keys()];
    if (variables.length > 0) claim(new Map(saved.map(({ name, state }) => [name, state])), variables, false);
    // Copied before the old state is freed: the tensors given may be the old state itself.
    const copies = saved.map(({ name, state }) => {
      const planes = Object.entries(state).map(([plane, tensor]) => [plane, tensor.variable(false)]);
      return [name, Object.fromEntries(planes) as SlotState] as const;
    });
    this.dispose();
    for (const [name, state] of copies) this.#loaded.set(name, state);
    this.#loadedSteps = steps;
    this.#isByName = false;
    if (variables.length > 0) this.#admit(variables);
  }

  dispose(): void {
    for (const { state } of this.#slots.values()) disposeState(state);
    for (const state of this.#loaded.values()) disposeState(state);
    this.#slots.clear();
    this.#loaded.clear();
  }

  #admit(variables: readonly Variable[]): void {
    this.#forgetGone();
    const { names, isByName } = claim(this.#loaded, variables, this.#isByName);
    this.#isByName = isByName;
    variables.forEach((variable, i) => {
      const name = names[i];
      const state = name === undefined ? this.#newState(variable) : this.#loaded.get(name)!;
      if (name !== undefined) this.#loaded.delete(name);
      this.#slots.set(variable, { variable, state, steps: name === undefined ? 0 : this.#loadedSteps });
    });
  }

  #newState({ shape }: Variable): SlotState {
    const { initialSquareAvg, momentum, centered } = this.#options;
    return {
      squareAvg: filled(shape, initialSquareAvg),
      ...(momentum > 0 && { momentumBuffer: filled(shape, 0) }),
      ...(centered && { gradAvg: filled(shape, 0) }),
    };
  }

  /** Frees the state of the variables that the program has disposed of. */
  #forgetGone(): void {
    const { registeredVariables } = engine();
    for (const [variable, { state }] of this.#slots) {
      if (registeredVariables[variable.name] === variable) continue;
      disposeState(state);
      this.#slots.delete(variable);
    }
  }
}

/**
 * Decides whose state each variable takes: the state of its own name, if names mean anything. They don't where tf.js has
 * numbered the variables, or has renamed those of a model that is loaded for a second time. Then variables take state in
 * order, as they do in tf.js, provided that the counts agree.
 */
function claim(
  loaded: ReadonlyMap<string, { readonly squareAvg: { readonly shape: number[] } }>,
  variables: readonly Variable[],
  wasByName: boolean,
): { names: (string | undefined)[]; isByName: boolean } {
  const inOrder = [...loaded.keys()];
  const isByName = wasByName || (!inOrder.some(isNumber) && variables.some(({ name }) => loaded.has(name)));
  if (!isByName && loaded.size > 0 && loaded.size !== variables.length) {
    throw new ParameterError(
      `The loaded state is of ${loaded.size} variables (${inOrder.join(", ")}), which can't be those ${variables.length}: ${variables.map(({ name }) => name).join(", ")}.`,
    );
  }
  const names = variables.map(({ name }, i) =>
    isByName ? (loaded.has(name) ? name : undefined) : inOrder[i],
  );
  variables.forEach(({ name, shape }, i) => {
    const found = loaded.get(names[i] ?? "")?.squareAvg.shape;
    if (found && show(found) !== show(shape)) {
      throw new ParameterError(
        `The loaded state of ${show(names[i])} has shape ${show(found)}, but variable ${show(name)} has ${show(shape)}.`,
      );
    }
  });
  return { names, isByName };
}

const isNumber = (name: string) => /^\d+$/.test(name);

function filled(shape: number[], value: number): Variable {
  const count = shape.reduce((product, size) => product * size, 1);
  const initial = tensor(new Float32Array(count).fill(value), shape);
  const made = variable(initial, false);
  initial.dispose();
  return made;
}

function disposeState(state: SlotState): void {
  for (const plane of Object.values(state)) plane.dispose();
}
