/**
 * JSON that is read as strictly as the safetensors library reads it. `JSON.parse` alone passes over duplicate keys, takes
 * half a surrogate pair for a character, and can't tell `1.0` from `1`. A parser of our own instead of this second pass
 * would weigh more, and be slower.
 */

import { cut, show } from "../base/show.ts";
import { CheckpointError } from "../errors.ts";

/** How deep the library's parser goes. */
const MAX_DEPTH = 127;
/** The largest size and offset of the library. */
const LARGEST = "18446744073709551615";
const NUMBER = /[-+.\deE]+/y;

/** Wishes of a caller beside the parsed value. */
export interface JsonChecks {
  /** Keys of objects within an object, whose lists hold whole numbers without a sign: `1.0` and `-0` aren't. */
  readonly whole?: readonly string[];
  /** Is told the text of each member of the objects in a list of objects, with the object's index. */
  readonly onMember?: (index: number, key: string, text: string) => void;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses JSON in which no object has a key twice.
 *
 * @param where The begin of an error's message.
 */
export function parseJson(text: string, where: string, checks: JsonChecks = {}): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`${where} is not JSON: ${cut(String(cause))}`, { cause });
  }
  new Scan(text, where, checks).run();
  return json;
}

/** One pass over text that is known to be JSON. Linear: 38 MiB of braces once took 27 s with a set for each. */
class Scan {
  #depth = 0;
  /** The index of the current member within the outermost value. */
  #index = 0;
  /** The open objects and lists, by depth: the keys that were met (undefined in lists), the last key, its value's start. */
  readonly #keys: (Set<string> | undefined)[] = [];
  readonly #key: string[] = [];
  readonly #start: number[] = [];
  readonly #isObject: boolean[] = [];

  constructor(
    private readonly text: string,
    private readonly where: string,
    private readonly checks: JsonChecks,
  ) {}

  run(): void {
    const { text } = this;
    let isKeyNext = false;
    for (let at = 0; at < text.length; at++) {
      switch (text[at]) {
        case "{":
          this.#open(true);
          isKeyNext = true;
          break;
        case "[":
          this.#open(false);
          break;
        case "}":
        case "]":
          this.#endMember(at);
          this.#depth--;
          isKeyNext = false;
          break;
        case ",":
          this.#endMember(at);
          if (this.#depth === 1) this.#index++;
          isKeyNext = this.#isObject[this.#depth]!;
          break;
        case ":":
          this.#start[this.#depth] = at + 1;
          break;
        case '"': {
          const end = this.#stringEnd(at);
          this.#string(text.slice(at, end + 1), isKeyNext);
          isKeyNext = false;
          at = end;
          break;
        }
        default:
          if (!/[-\d]/.test(text[at]!)) break;
          NUMBER.lastIndex = at;
          at += this.#number(NUMBER.exec(text)![0]) - 1;
      }
    }
  }

  #open(isObject: boolean): void {
    const depth = ++this.#depth;
    if (depth > MAX_DEPTH) throw new CheckpointError(`${this.where} is nested more than ${MAX_DEPTH} deep.`);
    this.#isObject[depth] = isObject;
    this.#keys[depth] = undefined;
    this.#key[depth] = "";
    this.#start[depth] = -1;
  }

  #endMember(at: number): void {
    const depth = this.#depth;
    const start = this.#start[depth]!;
    if (depth === 2 && start >= 0) {
      this.checks.onMember?.(this.#index, this.#key[2]!, this.text.slice(start, at).trim());
    }
    this.#start[depth] = -1;
  }

  #stringEnd(at: number): number {
    const { text } = this;
    let end = at;
    let isEscaped: boolean;
    do {
      end = text.indexOf('"', end + 1);
      let backslash = end;
      while (text[backslash - 1] === "\\") backslash--;
      isEscaped = (end - backslash) % 2 === 1;
    } while (isEscaped);
    return end;
  }

  #string(quoted: string, isKey: boolean): void {
    const value: string = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
    if (quoted.includes("\\u") && /\p{Surrogate}/u.test(value)) {
      throw new CheckpointError(
        `${this.where} holds ${show(value)}, which has half a character: no UTF-8 does.`,
      );
    }
    if (!isKey) return;
    this.#keys[this.#depth] ??= new Set();
    const keys = this.#keys[this.#depth]!;
    if (keys.has(value)) throw new CheckpointError(`${this.where} names ${show(value)} twice.`);
    keys.add(value);
    this.#key[this.#depth] = value;
  }

  /** Checks a number, and gives its length. */
  #number(text: string): number {
    const { where, checks } = this;
    if (!Number.isFinite(Number(text))) {
      throw new CheckpointError(`${where} holds ${cut(text)}, which is beyond all numbers.`);
    }
    const mustBeWhole = this.#depth === 3 && !this.#isObject[3] && checks.whole?.includes(this.#key[2]!);
    if (!mustBeWhole) return text.length;
    const isLarge = text.length > LARGEST.length || (text.length === LARGEST.length && text > LARGEST);
    if (!/^\d+$/.test(text) || isLarge) {
      throw new CheckpointError(
        `${show(this.#key[1])}: ${this.#key[2]} holds ${cut(text)}, expected whole numbers in digits alone.`,
      );
    }
    return text.length;
  }
}
