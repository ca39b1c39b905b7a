/** Numbers of 400 binary digits: so many more than a double has that what they lose in a billion products can't be seen in one. */

/** digits · 2^exponent */
export interface Exact {
  readonly digits: bigint;
  readonly exponent: number;
}

const DIGITS = 400;

/** The number that a double stands for, with nothing lost. */
export function exact(value: number): Exact {
  let exponent = 0;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    exponent--;
  }
  return { digits: BigInt(whole), exponent };
}

export function times(a: Exact, b: Exact): Exact {
  return cut({ digits: a.digits * b.digits, exponent: a.exponent + b.exponent });
}

export function plus(a: Exact, b: Exact): Exact {
  if (a.digits === 0n) return b;
  if (b.digits === 0n) return a;
  const exponent = Math.min(a.exponent, b.exponent);
  return cut({ digits: shifted(a, exponent) + shifted(b, exponent), exponent });
}

export function minus(a: Exact, b: Exact): Exact {
  return plus(a, { ...b, digits: -b.digits });
}

export function power(base: number, exponent: number): Exact {
  let result = exact(1);
  let square = exact(base);
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = times(result, square);
    square = times(square, square);
  }
  return result;
}

/** The distance of a number from an exact one, as a share of the latter; 0 for the same, whatever it is. */
export function relativeError(value: number, wanted: Exact): number {
  const difference = minus(exact(value), wanted);
  if (difference.digits === 0n) return 0;
  const [above, below] = [difference, wanted].map(({ digits, exponent }) => {
    const more = digits.toString(2).length - 60;
    return {
      digits: Number(more > 0 ? digits >> BigInt(more) : digits),
      exponent: exponent + Math.max(more, 0),
    };
  });
  return Math.abs(above!.digits / below!.digits) * 2 ** (above!.exponent - below!.exponent);
}

function shifted({ digits, exponent }: Exact, to: number): bigint {
  return digits << BigInt(exponent - to);
}

function cut({ digits, exponent }: Exact): Exact {
  const more = digits.toString(16).length * 4 - DIGITS;
  return more > 0 ? { digits: digits >> BigInt(more), exponent: exponent + more } : { digits, exponent };
}
