/** Modules that only Node, Deno and Bun have. */

/**
 * Gives a built-in module by its name, or undefined on a page. At run time, since a static import is an error in
 * browsers and trouble for their bundlers.
 */
export function builtinModule(name: string): unknown {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name);
}
