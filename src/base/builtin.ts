/** Access to built-in modules of Node, Deno and Bun. */

/**
 * Gives a built-in module by its name, or undefined on a page. The look-up happens at run time, since a static import is
 * an error in browsers and trouble for their bundlers.
 */
export function builtinModule(name: string): unknown {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name);
}
