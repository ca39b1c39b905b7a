/** The state of each variable that an optimizer has met, and loaded state that waits for its variable. */
import { minimum, tensor, tidy, type Variable, variable } from "@tensorflow/tfjs-core";
import { DisposedError, ParameterError } from "../errors.ts";
import type { ResolvedOptions } from "./options.ts";
import {
  claimByName,
  claimInOrder,
  expectedOwner,
  inOrderOfVariables,
  list,
  namesOneOf,
  registered,
} from "./pairing.ts";
import { largestFinite, type Slot, type SlotState } from "./updater.ts";
import type { SavedState } from "./weights.ts";

export class Slots {
  readonly #options: ResolvedOptions;
  readonly #slots = new Map<Variable, Slot>();
  /** Loaded state that no variable has claimed yet, by the name under which it was saved. */
  readonly #loaded = new Map<string, SlotState>();
  /** Names of all loaded state, claimed or not, in the order of the file. */
  #loadedNames: readonly string[] = [];
  /** Count of the updates that the loaded state has seen. */
  #loadedSteps = 0;
  /** True once a variable has claimed state by its name: the others will too. */
  #isByName = false;
  /** The longest list of variables that `minimize` was given, which for a model is the order of its weights. */
  #list: readonly Variable[] = [];

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** Takes note of the variables that `minimize` was given. A shorter list than before is that of a model half frozen. */
  note(list: readonly Variable[]): void {
    if (list.length >= this.#list.length) this.#list = list;
  }

  /** Gives each of these variables a slot, claimed or new. Changes nothing if one of them can't have any. */
  admit(variables: readonly Variable[]): void {
    this.#checkAlive();
    const strangers = variables.filter((variable) => !this.#slots.has(variable));
    if (strangers.length === 0) return;
    this.#forgetGone();
    const isByName = this.#isByName || namesOneOf(this.#loaded, strangers);
    const claim = isByName ? claimByName : claimInOrder;
    this.#occupy(strangers, claim(this.#loaded, strangers));
    this.#isByName = isByName;
  }

  /** Gives the slot of a variable that was admitted. */
  of(variable: Variable): Slot {
    return this.#slots.get(variable)!;
  }

  /** Gives these variables and the state that they have. */
  planesOf(variables: readonly Variable[]): Variable[] {
    return variables.flatMap((one) => [one, ...Object.values(this.#slots.get(one)?.state ?? {})]);
  }

  /** Gives the slots of all variables that are still there. */
  all(): Iterable<Slot> {
    this.#checkAlive();
    this.#forgetGone();
    return this.#slots.values();
  }

  /** Does the same where no loaded state waits for a variable that hasn't come yet. @throws ParameterError where some does. */
  claimed(): Iterable<Slot> {
    if (this.#loaded.size === 0) return this.all();
    throw new ParameterError(
      `The loaded state of ${list([...this.#loaded.keys()])} waits for its variables, and nothing else tells their averages. Take a step, or say whose it is: \`await optimizer.setWeights(await optimizer.getWeights(), model.trainableWeights)\`.`,
    );
  }

  /** Gives all state by the names of its variables, in their order: tf.js's own optimizer pairs it by order alone. */
  save(): SavedState[] {
    const slots = this.all();
    const states = new Map(this.#loaded);
    const owners = new Map([...states.keys()].map((name) => [name, expectedOwner(name)]));
    for (const { variable, state } of slots) {
      states.set(variable.name, state);
      owners.set(variable.name, variable);
    }
    return inOrderOfVariables(owners, this.#list, this.#loadedNames).map((name) => {
      const state = states.get(name)!;
      // The format has a momentum buffer for each variable, momentum or not. Made at the first save, it stays, as in tf.js.
      state.momentumBuffer ??= filled(state.squareAvg.shape, 0);
      return { name, state };
    });
  }

  /**
   * Replaces all state by saved state. It goes to the variables given, in order; else to those met so far or, if there
   * is none yet, to those to come.
   */
  load(saved: readonly SavedState[], steps: number, given?: readonly Variable[]): void {
    this.#forgetGone();
    const variables = given ?? [...this.#slots.keys()];
    const byName = new Map(saved.map(({ name, state }) => [name, state]));
    const isByName = given === undefined && namesOneOf(byName, variables);
    const claim = isByName ? claimByName : claimInOrder;
    const names = variables.length > 0 || given ? claim(byName, variables) : [];
    // Copied before the old state is freed: the tensors given may be the old state itself.
    const copies = saved.map(({ name, state }) => {
      // An infinite average, as tf.js leaves behind a gradient whose square overflows, would become NaN.
      const finite = tidy(() => minimum(state.squareAvg, largestFinite()).variable(false));
      const planes = Object.entries(state).map(([plane, tensor]) => [
        plane,
        plane === "squareAvg" ? finite : tensor.variable(false),
      ]);
      return [name, Object.fromEntries(planes) as SlotState] as const;
    });
    this.dispose();
    for (const [name, state] of copies) this.#loaded.set(name, state);
    this.#loadedNames = [...byName.keys()];
    this.#loadedSteps = steps;
    this.#isByName = isByName;
    this.#occupy(variables, names);
  }

  dispose(): void {
    for (const { state } of this.#slots.values()) disposeState(state);
    for (const state of this.#loaded.values()) disposeState(state);
    this.#slots.clear();
    this.#loaded.clear();
  }

  /** @throws DisposedError if another than this optimizer has disposed of its state: to go on from zeros would be silent. */
  #checkAlive(): void {
    for (const { state } of this.#slots.values()) checkAlive(state);
    for (const state of this.#loaded.values()) checkAlive(state);
  }

  /** Gives each variable the loaded state of the name claimed for it, or new state. */
  #occupy(variables: readonly Variable[], names: readonly (string | undefined)[]): void {
    variables.forEach((variable, i) => {
      const loaded = this.#loaded.get(names[i] ?? "");
      this.#loaded.delete(names[i] ?? "");
      const state = loaded ?? this.#newState(variable);
      this.#slots.set(variable, { variable, state, steps: loaded ? this.#loadedSteps : 0 });
    });
  }

  #newState(variable: Variable): SlotState {
    const { initialSquareAvg, momentum, centered, scheduleFree } = this.#options;
    const { shape } = variable;
    return {
      squareAvg: filled(shape, initialSquareAvg),
      ...(momentum > 0 && { momentumBuffer: filled(shape, 0) }),
      ...(centered && { gradAvg: filled(shape, 0) }),
      ...(scheduleFree && { z: variable.variable(false) }),
    };
  }

  /** Frees the state of the variables that the program has disposed of. */
  #forgetGone(): void {
    for (const [variable, { state }] of this.#slots) {
      if (registered(variable.name) === variable) continue;
      disposeState(state);
      this.#slots.delete(variable);
    }
    this.#list = this.#list.filter((variable) => registered(variable.name) === variable);
  }
}

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

function checkAlive(state: SlotState): void {
  // Without lists: at a thousand elements, the work around an update counts for more than the update.
  for (const name in state) {
    const plane = state[name as keyof SlotState]!;
    if (registered(plane.name) === plane) continue;
    throw new DisposedError(
      "The state of this optimizer was disposed of, as `tf.engine().reset()` and `tf.disposeVariables()` do it, or by its tensors from `getWeights`. Give it saved state by `setWeights`, or make a new optimizer.",
    );
  }
}
