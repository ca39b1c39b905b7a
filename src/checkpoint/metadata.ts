/**
 * The metadata of a header. A file of many parameters has a record with each, some twenty keys that are alike up to the last
 * dot. One map of all keys took most of the time of reading such a file, and most of its memory.
 */

/** Keys and their values, in turn. */
export type Pairs = readonly string[];

/** The most keys that are searched one by one. */
const FEW = 32;
/** The most strings that are kept to be used again, and the longest of them. */
const MOST_SHARED = 4096;
const LONGEST_SHARED = 32;

export class Metadata {
  /** The keys that begin alike, from behind the last dot on, and their values. */
  readonly #records = new Map<string, string[]>();
  /** The keys of large records. */
  readonly #large = new Map<string[], Set<string>>();
  readonly #shared = new Map<string, string>();
  #start = "";
  #pairs: string[] = [];

  /** Adds a key, unless it is there already: then it gives false. */
  add(place: string, value: string): boolean {
    const dot = place.lastIndexOf(".") + 1;
    // The begin is mostly that of the key before.
    if (dot !== this.#start.length || !place.startsWith(this.#start) || this.#pairs.length === 0) {
      this.#start = place.slice(0, dot);
      this.#pairs = this.#records.get(this.#start) ?? [];
      this.#records.set(this.#start, this.#pairs);
    }
    const pairs = this.#pairs;
    const key = this.#share(place.slice(dot));
    if (this.#has(pairs, key)) return false;
    pairs.push(key, this.#share(value));
    return true;
  }

  get(place: string): string | undefined {
    const dot = place.lastIndexOf(".") + 1;
    const pairs = this.#records.get(place.slice(0, dot)) ?? [];
    const key = place.slice(dot);
    const at = pairs.findIndex((text, i) => i % 2 === 0 && text === key);
    return at < 0 ? undefined : pairs[at + 1];
  }

  /** The keys that begin with `start`, as a record for each begin up to the last dot. */
  *recordsOf(start: string): Generator<[name: string, pairs: Pairs], void> {
    for (const [begin, pairs] of this.#records) {
      if (begin.startsWith(start)) yield [begin.slice(start.length, -1), pairs];
    }
  }

  #has(pairs: string[], key: string): boolean {
    if (pairs.length < 2 * FEW) {
      for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === key) return true;
      return false;
    }
    let keys = this.#large.get(pairs);
    if (!keys) {
      keys = new Set(pairs.filter((_, i) => i % 2 === 0));
      this.#large.set(pairs, keys);
    }
    if (keys.has(key)) return true;
    keys.add(key);
    return false;
  }

  /** The same string for equal short texts, so that records hold few strings, which compare quickly. */
  #share(text: string): string {
    if (text.length > LONGEST_SHARED) return text;
    const shared = this.#shared.get(text);
    if (shared !== undefined) return shared;
    if (this.#shared.size < MOST_SHARED) this.#shared.set(text, text);
    return text;
  }
}
