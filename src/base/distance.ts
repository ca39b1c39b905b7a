/**
 * The number of letters to insert, delete or replace until one word is the other (Levenshtein's distance). The library for it,
 * leven, made each entry 200 bytes heavier.
 */
export function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const letter of from) {
    const next = [row[0]! + 1];
    for (let j = 0; j < to.length; j++) {
      next.push(Math.min(row[j]! + Number(letter !== to[j]), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}
