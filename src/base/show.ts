import { isPlain } from "./plain.ts";

/** The longest that a value gets in a message, in characters. */
const LIMIT = 240;
const ITEMS = 16;

/** A value as an error message shows it: short, however large it is, and unmistakable between `1`, `"1"` and `1n`. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === "string") return cut(JSON.stringify(cut(value)));
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  const isList = Array.isArray(value);
  if (!isList && !isPlain(value)) {
    const name = (value as object).constructor?.name ?? "object";
    return `${/^([aeio]|RM)/i.test(name) ? "an" : "a"} ${name}`;
  }
  if (depth > 3) return "…";
  const all = isList ? value : Object.keys(value);
  const items = Array.from(all.slice(0, ITEMS), (item) =>
    isList ? show(item, depth + 1) : `${item}: ${show(value[item as never], depth + 1)}`,
  );
  if (all.length > ITEMS) items.push(`… ${all.length} in all`);
  return cut(isList ? `[${items.join(", ")}]` : `{${items.map((item) => ` ${item}`)} }`);
}

/** A text that is too long for a message, without its middle: the end often says what to do. */
export function cut(text: string, limit = LIMIT): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit * 0.7)} … ${text.slice(-limit * 0.2)}`;
}
