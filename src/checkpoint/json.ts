/**
 * A reader of JSON for headers that come from anywhere. It is as strict as that of the safetensors library, and stops at
 * the first thing that isn't expected, before it is made into objects.
 *
 * `JSON.parse` was rejected: it passes over duplicate keys, takes half a surrogate pair for a character, can't tell `1.0`
 * from `1`, and makes 13 million objects of 38 MiB of braces, which takes seconds.
 */

import { cut, show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";

/** How deep the library's reader goes. */
const MAX_DEPTH = 127;
/** The most lists and objects that are made of one text. */
const MAX_CONTAINERS = 1e6;

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HALF_A_PAIR = /\p{Surrogate}/u;
const LITERALS: ReadonlyMap<string, unknown> = /* @__PURE__ */ new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a text as one value. */
export function parseJson(text: string, where: string): unknown {
  const reader = new JsonReader(text, where);
  const value = reader.value();
  reader.end();
  return value;
}

export class JsonReader {
  #at = 0;
  #depth = 0;
  #containers = 0;

  /** @param where The begin of an error's message. */
  constructor(
    private readonly text: string,
    private readonly where: string,
  ) {}

  /** The next character behind white space, not read yet; empty at the end. */
  peek(): string {
    if (this.text.charCodeAt(this.#at) <= 0x20) {
      SPACE.lastIndex = this.#at;
      SPACE.test(this.text);
      this.#at = SPACE.lastIndex;
    }
    return this.text.charAt(this.#at);
  }

  /** Reads an object: `each` reads the value of each key. No key may come twice. */
  members(each: (key: string) => void): void {
    let keys: Set<string> | undefined;
    this.anyMembers((key) => {
      keys ??= new Set();
      if (keys.has(key)) return false;
      keys.add(key);
      each(key);
      return true;
    });
  }

  /** Reads an object: `each` reads the value of each key, and says false of a key that has come before. */
  anyMembers(each: (key: string) => boolean): void {
    for (let isMore = this.#begin("{", "}"); isMore; isMore = this.#goOn("}")) {
      const key = this.string();
      this.#expect(":");
      if (!each(key)) throw new CheckpointError(`${this.where} names ${show(key)} twice.`);
    }
  }

  /** Reads a list: `each` reads each of its values. */
  items(each: () => void): void {
    for (let isMore = this.#begin("[", "]"); isMore; isMore = this.#goOn("]")) each();
  }

  string(): string {
    if (this.peek() !== '"') this.#refuse();
    const { text } = this;
    const start = this.#at;
    let end = start;
    let isSimple = true;
    // A search for the end, and a regular expression for all else, took twice as long.
    for (let code = text.charCodeAt(++end); code !== QUOTE; code = text.charCodeAt(++end)) {
      if (code > 0x1f && code !== BACKSLASH) continue;
      isSimple = false;
      if (code === BACKSLASH) end++;
      if (end >= text.length) this.#refuse(text.length);
    }
    this.#at = end + 1;
    if (isSimple) return text.slice(start + 1, end);
    let value = "";
    try {
      value = JSON.parse(text.slice(start, end + 1));
    } catch {
      this.#refuse(start);
    }
    if (HALF_A_PAIR.test(value)) {
      throw new CheckpointError(
        `${this.where} holds ${show(value)}, which has half a character: no UTF-8 does.`,
      );
    }
    return value;
  }

  /**
   * Reads a whole number in digits alone; undefined for another value, which isn't read. The library's numbers end at 2 ** 64,
   * JavaScript's at 2 ** 53: no file is as large, so that nothing but the shape of an empty tensor can tell.
   */
  size(): number | undefined {
    this.peek();
    const { text } = this;
    const start = this.#at;
    let end = start;
    let size = 0;
    let digit = text.charCodeAt(end) - 0x30;
    while (digit >= 0 && digit <= 9) {
      size = size * 10 + digit;
      digit = text.charCodeAt(++end) - 0x30;
    }
    // Neither a zero in front, nor a fraction, nor an exponent.
    const isWhole = end === start + 1 || (end > start && text.charAt(start) > "0");
    if (!isWhole || /[.eE]/.test(text.charAt(end)) || size > Number.MAX_SAFE_INTEGER) return undefined;
    this.#at = end;
    return size;
  }

  /** Reads two whole numbers with a comma between them, inside of these very texts; nothing, if anything else comes next. */
  pair(open: string, close: string): readonly [number, number] | undefined {
    const start = this.#at;
    const first = this.#takeText(open) ? this.size() : undefined;
    const second = first !== undefined && this.#takeText(",") ? this.size() : undefined;
    if (second !== undefined && this.#takeText(close)) return [first!, second];
    this.#at = start;
    return undefined;
  }

  /** Reads any value, and gives its text. */
  raw(): string {
    this.peek();
    const start = this.#at;
    this.#skip();
    return this.text.slice(start, this.#at);
  }

  value(): unknown {
    switch (this.peek()) {
      case "{": {
        const entries: [string, unknown][] = [];
        this.#count();
        this.members((key) => entries.push([key, this.value()]));
        return Object.fromEntries(entries);
      }
      case "[": {
        const items: unknown[] = [];
        this.#count();
        this.items(() => items.push(this.value()));
        return items;
      }
      case '"':
        return this.string();
      default:
        return this.#scalar();
    }
  }

  /** Checks that nothing follows. */
  end(): void {
    if (this.peek() !== "") this.#refuse();
  }

  #count(): void {
    if (++this.#containers > MAX_CONTAINERS) {
      throw new CheckpointError(`${this.where} holds more than ${MAX_CONTAINERS} lists and objects.`);
    }
  }

  /** The same as `value`, but nothing is made. */
  #skip(): void {
    switch (this.peek()) {
      case "{":
        this.anyMembers(this.#skipNext);
        break;
      case "[":
        this.items(this.#skipNext);
        break;
      case '"':
        this.string();
        break;
      default:
        this.#scalar();
    }
  }

  readonly #skipNext = (): boolean => {
    this.#skip();
    return true;
  };

  /** Reads the begin of a list or an object, or the whole of an empty one, and tells whether there is something in it. */
  #begin(open: string, close: string): boolean {
    this.#expect(open);
    if (++this.#depth > MAX_DEPTH) {
      throw new CheckpointError(`${this.where} is nested more than ${MAX_DEPTH} deep.`);
    }
    const isEmpty = this.#take(close);
    if (isEmpty) this.#depth--;
    return !isEmpty;
  }

  /** Reads the comma behind an item, or the end, and tells whether another item follows. */
  #goOn(close: string): boolean {
    if (this.#take(",")) return true;
    this.#expect(close);
    this.#depth--;
    return false;
  }

  #scalar(): unknown {
    const number = this.#number();
    if (number !== "") {
      const value = Number(number);
      if (Number.isFinite(value)) return value;
      throw new CheckpointError(`${this.where} holds ${cut(number)}, which is beyond all numbers.`);
    }
    for (const [literal, value] of LITERALS) {
      if (this.text.startsWith(literal, this.#at)) {
        this.#at += literal.length;
        return value;
      }
    }
    return this.#refuse();
  }

  #number(): string {
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(this.text)) return "";
    const number = this.text.slice(this.#at, NUMBER.lastIndex);
    this.#at = NUMBER.lastIndex;
    return number;
  }

  #takeText(text: string): boolean {
    const isNext = this.text.startsWith(text, this.#at);
    if (isNext) this.#at += text.length;
    return isNext;
  }

  #take(character: string): boolean {
    const isThere = this.peek() === character;
    if (isThere) this.#at++;
    return isThere;
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.#refuse();
  }

  #refuse(at = this.#at): never {
    const found = at < this.text.length ? show(this.text.slice(at, at + 20)) : "end";
    throw new CheckpointError(`${this.where} is not JSON: unexpected ${found} at character ${at}.`);
  }
}
