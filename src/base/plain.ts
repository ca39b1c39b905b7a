/**
 * Whether a value is a plain object, whose own keys are all that it says: entries of a `Map`, or options that an object
 * inherits, would be ignored. The prototype of a plain object has none itself, in any realm.
 */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
