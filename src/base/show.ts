/** The longest that a value gets in a message, in characters. */
const LIMIT = 240;
const ITEMS = 16;

/** A value as an error message shows it: short, however large it is, and unmistakable between `1`, `"1"` and `1n`. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === "string") return cut(JSON.stringify(cut(value)));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) {
    if (depth > 3) return "[…]";
    const items = Array.from(value.slice(0, ITEMS), (inner) => show(inner, depth + 1));
    if (value.length > ITEMS) items.push(`… ${value.length} in all`);
    return cut(`[${items.join(", ")}]`);
  }
  if (typeof value === "object" && value !== null)
    return `a ${value.constructor?.name ?? "null-prototype object"}`;
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A text that is too long for a message, without its middle: the end often says what to do. */
export function cut(text: string, limit = LIMIT): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit * 0.7)} … ${text.slice(-limit * 0.2)}`;
}
