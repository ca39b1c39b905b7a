/** The pairing of saved state with variables: who claims which, and in which order it is written. */
import { engine, type Variable } from "@tensorflow/tfjs-core";
import { show } from "../base/show.ts";
import { ParameterError } from "../errors.ts";

/** Saved state by the names of its variables, in the order of the file. */
type Saved = ReadonlyMap<string, { readonly squareAvg: { readonly shape: number[] } }>;

/** Gives the variable that has this name now. */
export const registered = (name: string): Variable | undefined => engine().registeredVariables[name];

/**
 * Whether state goes by name: one of the variables has a name from the file, and names mean something. They don't where
 * tf.js has numbered the variables, and none agrees where it has renamed those of a model that is loaded twice.
 */
export function namesOneOf(saved: Saved, variables: readonly Variable[]): boolean {
  return ![...saved.keys()].some(isNumber) && variables.some(({ name }) => saved.has(name));
}

/** Gives the name under which each variable's state was saved, or undefined for a variable without any. */
export function claimByName(saved: Saved, variables: readonly Variable[]): (string | undefined)[] {
  const names = variables.map(({ name }) => (saved.has(name) ? name : undefined));
  checkShapes(saved, variables, names);
  return names;
}

/** Gives the names of the saved state in their order, as tf.js pairs it, provided that the counts agree. */
export function claimInOrder(saved: Saved, variables: readonly Variable[]): (string | undefined)[] {
  if (saved.size === 0) return [];
  const names = [...saved.keys()];
  if (names.length !== variables.length) {
    throw new ParameterError(
      `The loaded state is of ${names.length} variables (${list(names)}), but the optimizer is given ${variables.length}: ${list(variables.map(({ name }) => name))}. Pair it with all ${names.length} of them, frozen ones too: \`await optimizer.setWeights(await optimizer.getWeights(), variables)\`. Or start without it: compile with a new optimizer.`,
    );
  }
  checkShapes(saved, variables, names);
  return names;
}

/**
 * Puts names in the order in which their variables (`owners`) were created, but those of a list in the order of that list:
 * a model of several towers trains its weights in another order than it has created them. State whose variable isn't known
 * stays behind the state that it followed in the file.
 */
export function inOrderOfVariables(
  owners: ReadonlyMap<string, Variable | undefined>,
  list: readonly Variable[],
  loaded: readonly string[],
): string[] {
  const created = [...owners.values()].filter((variable) => variable !== undefined);
  created.sort((one, other) => one.id - other.id);
  const inList = [...new Set(list)].filter((variable) => created.includes(variable));
  const listed = new Set(inList);
  const ordered = created.map((variable) => (listed.has(variable) ? inList.shift()! : variable).name);
  let before = -1;
  for (const name of loaded) {
    const at = ordered.indexOf(name);
    if (at >= 0) before = at;
    else if (owners.has(name)) ordered.splice(++before, 0, name);
  }
  return ordered;
}

/** Gives the variable to which state will go that no variable has claimed yet, if its name tells. */
export function expectedOwner(name: string): Variable | undefined {
  return isNumber(name) ? undefined : registered(name);
}

function checkShapes(
  saved: Saved,
  variables: readonly Variable[],
  names: readonly (string | undefined)[],
): void {
  variables.forEach(({ name, shape }, i) => {
    const found = saved.get(names[i] ?? "")?.squareAvg.shape;
    if (found && show(found) !== show(shape)) {
      throw new ParameterError(
        `The loaded state of ${show(names[i])} has shape ${show(found)}, but variable ${show(name)} has ${show(shape)}.`,
      );
    }
  });
}

/** Lists names in a message, the first few of many. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(", ");
  return names.length > 6 ? `${shown}, … ${names.length - 6} more` : shown;
}

const isNumber = (name: string) => /^\d+$/.test(name);
