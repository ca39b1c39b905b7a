/**
 * Seeded random numbers. Integer operations only, so that a seed means the same numbers on every machine.
 */
export type Random = () => number;

/** Chris Doty-Humphrey's sfc32: uniform multiples of 2^−32 in [0, 1). */
export function seededRandom(seed: number): Random {
  let a = 0;
  let b = seed | 0;
  let c = Math.floor(seed / 4294967296) | 0;
  let counter = 1;

  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4294967296;
  };

  // Neighbouring seeds start with similar state; these rounds take them apart.
  for (let round = 0; round < 15; round++) next();
  return next;
}

/** Fisher and Yates's shuffle, in place. */
export function shuffle(values: Uint32Array, random: Random): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const value = values[last]!;
    values[last] = values[other]!;
    values[other] = value;
  }
}
