/** Gives a value as error messages show it: short, with `1` and `"1"` told apart. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) {
    return depth > 3 ? "[…]" : `[${value.map((inner) => show(inner, depth + 1)).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null)
    return `a ${value.constructor?.name ?? "null-prototype object"}`;
  return Object.is(value, -0) ? "-0" : String(value);
}
